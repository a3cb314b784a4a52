// SPDX-License-Identifier: Apache-2.0

#if Tracing
    public import ApusCore
    import Synchronization
    public import Tracing

    /// A span for each try of a call, `Attempt.` and the method's name, whose context travels with it; put it last in the
    /// list of interceptors, behind the balancer. There with the package's trait `Tracing` alone.
    ///
    /// What the tracer sends goes into the metadata, `traceparent` and `tracestate` of a W3C tracer, and `grpc-trace-bin`
    /// besides. Its events are messages. Source: gRFC A72.
    public struct AttemptTracing: ClientInterceptor {
        private let tracer: (any Tracer)?

        /// Spans of a tracer; unless told, of the one that the process was bootstrapped with.
        public init(_ tracer: (any Tracer)? = nil) { self.tracer = tracer }

        /// Sends the try within its span, which ends with the try.
        public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
            let tracer = tracer ?? InstrumentationSystem.tracer
            let span = CallSpan(
                tracer.startAnySpan(CallSpan.name("Attempt", call.method), ofKind: .client), call.method)
            let traced = prepared(call, span, tracer)
            do {
                let response = try await ServiceContext.$current.binding(span.context) { try await next(traced) }
                return watched(response, span)
            } catch {
                span.end(RPCError(wrapping: error))
                throw error
            }
        }

        private func prepared(_ call: ClientCall, _ span: CallSpan, _ tracer: any Tracer) -> ClientCall {
            var call = call
            tracer.inject(span.context, into: &call.metadata, using: MetadataInjector())
            if let trace = Propagation.complete(&call.metadata) { call.record?.traceID = trace }
            guard span.isRecording else { return call }
            span.set("previous-rpc-attempts", call.attempt - 1)
            span.set("transparent-retry", call.record?.hasTried(call.attempt) ?? false)
            if let endpoint = call.endpoint { span.set("endpoint", "\(endpoint.address)") }
            switch call.request {
            case .one(let message): span.messageSent(message)
            case .stream(let source):
                call.request = .stream(TracedMessages(source) { span.messageSent($0) })
            }
            return call
        }

        private func watched(_ response: ClientResponse, _ span: CallSpan) -> ClientResponse {
            switch response.body {
            case .stream(let source) where span.isRecording:
                var response = response
                response.body = .stream(TracedResponses(source, span))
                return response
            case .one(let message, _): span.messageReceived(message)
            case .stream: break
            }
            response.onEnd { span.end($0) }
            return response
        }
    }

    /// A streamed response, each of whose messages is an event. Its span ends when the try has ended and its reader is
    /// through, or gone: messages may wait for a slow reader longer than the try takes.
    private final class TracedResponses: ResponseSource {
        private struct State {
            var isRead = false
            var end: RPCError??
        }

        private let source: any ResponseSource
        private let span: CallSpan
        private let state = Shared()

        private final class Shared: Sendable {
            let state = Mutex(State())
        }

        init(_ source: any ResponseSource, _ span: CallSpan) {
            self.source = source
            self.span = span
            source.onEnd { [state] error in
                if state.state.withLock({ state in
                    state.end = .some(error)
                    return state.isRead
                }) {
                    span.end(error)
                }
            }
        }

        deinit { readerLeft() }

        func next() async throws -> MessageBytes? {
            do {
                if let message = try await source.next() {
                    span.messageReceived(message)
                    return message
                }
            } catch {
                // The call has ended, or its reader was cancelled and may come back.
                if error is RPCError { readerLeft() }
                throw error
            }
            readerLeft()
            return nil
        }

        private func readerLeft() {
            let end = state.state.withLock { state in
                state.isRead = true
                return state.end
            }
            if let end { span.end(end) }
        }

        var trailers: Metadata { source.trailers }
        var finalTrailers: Metadata { source.finalTrailers }
        var isUntouched: Bool { source.isUntouched }
        func cancel() {
            readerLeft()
            source.cancel()
        }
        func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { source.onEnd(action) }
    }
#endif
