// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry
import Synchronization

/// A sampled span of a call, a try or a handler: it takes events until it has ended, and ends once.
final class SpanRecord: Sendable {
    private struct State {
        // Nil once it has ended: who still holds on to the call does not hold on to it.
        var span: Span?
        var events = SpanEventQuota()
        var sent: Int64 = 0
        var received: Int64 = 0
    }

    private let state: Mutex<State>
    private let exporter: OTLPTracesExporter
    let position: SpanPosition

    /// - Parameter prefix: gRFC A72's word before the method's name.
    init(
        _ exporter: OTLPTracesExporter, _ prefix: String, _ kind: Span.SpanKind, _ method: MethodDescriptor,
        at position: SpanPosition, parent: SpanPosition?, parentIsRemote: Bool = false
    ) {
        // The lower byte is W3C's; the others say whether the parent is in another process.
        let flags = (position.isSampled ? 1 : 0) | (1 << 8) | (parentIsRemote ? 1 << 9 : 0) as UInt32
        let span = Span(
            traceId: position.traceBytes, spanId: position.spanBytes, traceState: position.state ?? "",
            parentSpanId: parent?.spanBytes ?? [], flags: flags, name: "\(prefix).\(method.service).\(method.name)",
            kind: kind, startTimeUnixNano: exporter.now(),
            attributes: [
                KeyValue("rpc.system", "grpc"), KeyValue("rpc.service", method.service),
                KeyValue("rpc.method", method.name),
            ])
        state = Mutex(State(span: span))
        self.exporter = exporter
        self.position = position
    }

    func set(_ attribute: KeyValue) { state.withLock { $0.span?.attributes.append(attribute) } }

    func event(_ name: String, _ attributes: [KeyValue]) {
        let now = exporter.now()
        state.withLock { state in
            guard state.span != nil, state.events.admit(.other) else { return }
            state.span?.events.append(Span.Event(timeUnixNano: now, name: name, attributes: attributes))
        }
    }

    func messageSent(_ message: MessageBytes) { note("Outbound message sent", \.sent, message) }

    func messageReceived(_ message: MessageBytes) { note("Inbound message read", \.received, message) }

    private func note(_ name: String, _ counter: WritableKeyPath<State, Int64>, _ message: MessageBytes) {
        let (now, size) = (exporter.now(), Int64(message.count))
        state.withLock { state in
            let number = state[keyPath: counter]
            state[keyPath: counter] &+= 1
            guard state.span != nil, state.events.admit(.message) else { return }
            let attributes = [KeyValue("sequence-number", number), KeyValue("message-size", size)]
            state.span?.events.append(Span.Event(timeUnixNano: now, name: name, attributes: attributes))
        }
    }

    /// Ends the span with a call's status; only the first end counts.
    func end(_ error: RPCError?) {
        let (taken, leftOut) = state.withLock { ($0.span.take(), $0.events.leftOut) }
        guard var span = taken else { return }
        let code = error?.code ?? .ok
        span.endTimeUnixNano = max(span.startTimeUnixNano, exporter.now())
        span.droppedEventsCount = UInt32(clamping: leftOut)
        span.attributes.append(KeyValue("rpc.grpc.status_code", Int64(code.rawValue)))
        // gRFC A72: the code's name, and the text that came with it.
        span.status = StatusMessage(
            message: error.map { LogLine.harmless("\($0.code.name), \($0.message)") } ?? "",
            code: code == .ok ? .ok : .error)
        exporter.add(span)
    }
}

extension CallRecord {
    /// For access logs.
    func stand(at position: SpanPosition) {
        traceID = position.traceID
        spanID = position.span
    }
}

extension KeyValue {
    init(_ key: String, _ value: String) { self.init(key: key, value: AnyValue(value: .stringValue(value))) }
    init(_ key: String, _ value: Int64) { self.init(key: key, value: AnyValue(value: .intValue(value))) }
    init(_ key: String, _ value: Bool) { self.init(key: key, value: AnyValue(value: .boolValue(value))) }
}
