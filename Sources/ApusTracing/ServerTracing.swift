// SPDX-License-Identifier: Apache-2.0

#if Tracing
    public import ApusCore
    import ApusTelemetry
    public import Tracing

    /// A span for each call of a server, `Recv.` and the method's name, a child of the client's try if that came with a
    /// trace; put it first in the list of interceptors. There with the package's trait `Tracing` alone.
    ///
    /// Calls that the handler makes are part of the trace by themselves: the span is current while the handler runs.
    /// Source: gRFC A72.
    public struct ServerTracing: ServerInterceptor {
        private let tracer: (any Tracer)?

        /// Spans of a tracer; unless told, of the one that the process was bootstrapped with.
        public init(_ tracer: (any Tracer)? = nil) { self.tracer = tracer }

        /// Handles the call within its span.
        public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
            let tracer = tracer ?? InstrumentationSystem.tracer
            var context = ServiceContext.topLevel
            tracer.extract(Propagation.understood(call.metadata), into: &context, using: MetadataExtractor())
            let span = CallSpan(
                tracer.startAnySpan(CallSpan.name("Recv", call.method), context: context, ofKind: .server), call.method)
            name(call, span, tracer)
            let traced = watched(call, span)
            do {
                let response = try await ServiceContext.$current.binding(span.context) { try await next(traced) }
                if let message = response.message { span.messageSent(message) }
                span.end(Self.overruling(call))
                return response
            } catch {
                span.end(Self.overruling(call) ?? Self.shown(error))
                throw error
            }
        }

        // What the client was told before the handler came to its end. A server without an observer notes no such thing,
        // but it cancels the handler's task.
        private static func overruling(_ call: ServerCall) -> RPCError? {
            if let record = call.record { return record.verdict.map { RPCError($0) } }
            guard Task.isCancelled else { return nil }
            if call.deadline.hasPassed(at: SystemClock().now) {
                return CallDeadline.exceeded("while the server worked")
            }
            return RPCError(.cancelled, "the call was over before its handler")
        }

        // What the client gets to know: the text of other errors stays in the process, and out of the trace.
        private static func shown(_ error: any Error) -> RPCError {
            switch error {
            case let error as RPCError: error
            case is CancellationError: RPCError(.cancelled, "the call was cancelled")
            default: RPCError(.unknown, "the handler failed")
            }
        }

        // For the access log.
        private func name(_ call: ServerCall, _ span: CallSpan, _ tracer: any Tracer) {
            guard let record = call.record else { return }
            var carrier = Metadata()
            tracer.inject(span.context, into: &carrier, using: MetadataInjector())
            record.traceID = carrier[Propagation.textKey].flatMap { TraceParent($0) }?.traceID
        }

        private func watched(_ call: ServerCall, _ span: CallSpan) -> ServerCall {
            guard span.isRecording else { return call }
            span.set("peer", "\(call.peer)")
            var call = call
            switch call.request {
            case .one(let message): span.messageReceived(message)
            case .stream(let source):
                call.request = .stream(TracedMessages(source) { span.messageReceived($0) })
            }
            call.responder = TracedResponder(call.responder, span)
            return call
        }
    }

    /// Passes a response on, each of whose messages is an event.
    private final class TracedResponder: ServerResponder {
        private let responder: any ServerResponder
        private let span: CallSpan

        init(_ responder: any ServerResponder, _ span: CallSpan) {
            self.responder = responder
            self.span = span
        }

        func setInitialMetadata(_ metadata: Metadata) { responder.setInitialMetadata(metadata) }
        func sendInitialMetadata() { responder.sendInitialMetadata() }
        func setTrailers(_ metadata: Metadata) { responder.setTrailers(metadata) }
        func compressResponses(with compression: Compression) -> Bool { responder.compressResponses(with: compression) }
        func write(_ message: MessageBytes) async throws(RPCError) {
            try await responder.write(message)
            span.messageSent(message)
        }
        var record: CallRecord? { responder.record }
    }
#endif
