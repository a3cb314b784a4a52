// SPDX-License-Identifier: Apache-2.0

#if Tracing
    import ApusCore
    import ApusTelemetry
    import Synchronization
    import Tracing

    /// A span of a call, a try or a handler: it takes events until it has ended, and ends once.
    final class CallSpan: Sendable {
        private struct State {
            // Nil once it has ended: who still holds on to the call does not hold on to it.
            var span: (any Span)?
            var events = SpanEventQuota()
        }

        private let state: Mutex<State>
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
            state = Mutex(State(span: span))
        }

        /// The name that gRFC A72 gives to spans: dots for the slash of the path.
        static func name(_ prefix: String, _ method: MethodDescriptor) -> String {
            "\(prefix).\(method.service).\(method.name)"
        }

        func set(_ key: String, _ value: some SpanAttributeConvertible & Sendable) {
            guard isRecording else { return }
            state.withLock { $0.span?.attributes[key] = value.toSpanAttribute() }
        }

        func event(_ name: String, _ attributes: SpanAttributes = [:]) {
            add(.other, name) { attributes }
        }

        // Attributes of what is left out are not even made.
        private func add(_ kind: SpanEventQuota.Kind, _ name: String, _ attributes: () -> SpanAttributes) {
            guard isRecording else { return }
            state.withLock { state in
                guard let span = state.span, state.events.admit(kind) else { return }
                span.addEvent(SpanEvent(name: name, attributes: attributes()))
            }
        }

        func messageSent(_ message: MessageBytes) {
            guard isRecording else { return }
            let number = sent.wrappingAdd(1, ordering: .relaxed).oldValue
            add(.message, "Outbound message sent") {
                ["sequence-number": .int64(Int64(number)), "message-size": .int64(Int64(message.count))]
            }
        }

        func messageReceived(_ message: MessageBytes) {
            guard isRecording else { return }
            let number = received.wrappingAdd(1, ordering: .relaxed).oldValue
            add(.message, "Inbound message read") {
                ["sequence-number": .int64(Int64(number)), "message-size": .int64(Int64(message.count))]
            }
        }

        /// Ends the span with a call's status; only the first end counts.
        func end(_ error: RPCError?) {
            let (taken, leftOut) = state.withLock { ($0.span.take(), $0.events.leftOut) }
            guard let span = taken else { return }
            if leftOut > 0 { span.attributes["apus.events_left_out"] = leftOut }
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
