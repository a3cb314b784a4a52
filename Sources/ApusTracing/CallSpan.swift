// SPDX-License-Identifier: Apache-2.0

#if Tracing
    import ApusCore
    import Synchronization
    import Tracing

    /// A span of a call, a try or a handler: it takes events until it has ended, and ends once.
    final class CallSpan: Sendable {
        // Nil once it has ended: who still holds on to the call does not hold on to it.
        private let span: Mutex<(any Span)?>
        /// What is current while the call goes on.
        let context: ServiceContext
        /// Whether events are worth their making.
        let isRecording: Bool
        private let sent = Atomic<Int>(0)
        private let received = Atomic<Int>(0)

        init(_ span: any Span, _ method: MethodDescriptor) {
            context = span.context
            isRecording = span.isRecording
            if isRecording {
                span.updateAttributes { attributes in
                    attributes["rpc.system"] = "grpc"
                    attributes["rpc.service"] = method.service
                    attributes["rpc.method"] = method.name
                }
            }
            self.span = Mutex(span)
        }

        /// The name that gRFC A72 gives to spans: dots for the slash of the path.
        static func name(_ prefix: String, _ method: MethodDescriptor) -> String {
            "\(prefix).\(method.service).\(method.name)"
        }

        func set(_ key: String, _ value: some SpanAttributeConvertible & Sendable) {
            guard isRecording else { return }
            span.withLock { $0?.attributes[key] = value.toSpanAttribute() }
        }

        func event(_ name: String, _ attributes: SpanAttributes = [:]) {
            guard isRecording else { return }
            span.withLock { $0?.addEvent(SpanEvent(name: name, attributes: attributes)) }
        }

        func messageSent(_ message: MessageBytes) {
            guard isRecording else { return }
            let number = sent.wrappingAdd(1, ordering: .relaxed).oldValue
            event(
                "Outbound message sent",
                ["sequence-number": .int64(Int64(number)), "message-size": .int64(Int64(message.count))])
        }

        func messageReceived(_ message: MessageBytes) {
            guard isRecording else { return }
            let number = received.wrappingAdd(1, ordering: .relaxed).oldValue
            event(
                "Inbound message read",
                ["sequence-number": .int64(Int64(number)), "message-size": .int64(Int64(message.count))])
        }

        /// Ends the span with a call's status; only the first end counts.
        func end(_ error: RPCError?) {
            guard let span = span.withLock({ $0.take() }) else { return }
            let code = error?.code ?? .ok
            span.attributes["rpc.grpc.status_code"] = code.rawValue
            span.setStatus(
                code == .ok ? SpanStatus(code: .ok) : SpanStatus(code: .error, message: code.name))
            if let error { span.recordError(error) }
            span.end()
        }
    }

    /// Messages on their way, each an event of a span.
    final class TracedMessages: MessageSource {
        private let source: any MessageSource
        private let note: @Sendable (MessageBytes) -> Void

        init(_ source: any MessageSource, _ note: @escaping @Sendable (MessageBytes) -> Void) {
            self.source = source
            self.note = note
        }

        func next() async throws -> MessageBytes? {
            let message = try await source.next()
            if let message { note(message) }
            return message
        }

        var isUntouched: Bool { source.isUntouched }
        func cancel() { source.cancel() }
    }
#endif
