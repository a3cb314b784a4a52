// SPDX-License-Identifier: Apache-2.0

package import ApusCore

// The lines of an access log.

extension LogLine {
    /// A client's call that has ended.
    package init(_ call: ClientCall, error: RPCError?, severity: LogSeverity, rules: AccessLogRules) {
        let record = call.record
        self.init(severity, "call ended", [("side", "client"), ("rpc", call.method.rpc), ("target", call.target)])
        add("kind", call.method.kind.text)
        add("peer", (error?.peer ?? record?.endpoint).map { "\($0.address)" })
        addOutcome(record, error, rules)
        add("attempts", record.map { "\($0.attempts)" })
        add("trace_id", record?.traceID ?? call.metadata["traceparent"].flatMap { TraceParent($0) }?.traceID)
        if !call.metadata.isEmpty { add("metadata", Self.redacted(call.metadata, shown: rules.shownMetadata)) }
    }

    /// A server's call whose handler has ended.
    package init(_ call: ServerCall, error: RPCError?, severity: LogSeverity, rules: AccessLogRules) {
        let record = call.record
        self.init(severity, "call ended", [("side", "server"), ("rpc", call.method.rpc)])
        add("kind", call.method.kind.text)
        add("peer", "\(call.peer)")
        add("caller", call.peerIdentity.map { Self.harmless("\($0)") })
        addOutcome(record, error, rules)
        add("trace_id", record?.traceID ?? call.metadata["traceparent"].flatMap { TraceParent($0) }?.traceID)
        if !call.metadata.isEmpty { add("metadata", Self.redacted(call.metadata, shown: rules.shownMetadata)) }
    }

    /// A call that a server refused at its headers; without a method it asked for none that is served.
    package init(refused method: MethodDescriptor?, peer: Endpoint.Address, _ status: Status, severity: LogSeverity) {
        self.init(severity, "call ended", [("side", "server"), ("rpc", method?.rpc ?? "other")])
        add("kind", method?.kind.text)
        add("peer", "\(peer)")
        add("status", status.code.name)
        add("error", Self.harmless("\(RPCError(status))"))
    }

    private mutating func addOutcome(_ record: CallRecord?, _ error: RPCError?, _ rules: AccessLogRules) {
        add("status", (error?.code ?? .ok).name)
        add("seconds", record?.duration?.secondsText)
        if rules.isSlow(record?.duration) { add("slow", "true") }
        add("sent_bytes", record.map { "\($0.sentBytes)" })
        add("received_bytes", record.map { "\($0.receivedBytes)" })
        add("sent_messages", record.map { "\($0.sentMessages)" })
        add("received_messages", record.map { "\($0.receivedMessages)" })
        add("error", error.map { Self.harmless("\($0)") })
    }
}

extension MethodDescriptor {
    /// `service/name`, as metrics and logs have it.
    package var rpc: String { String(path.dropFirst()) }
}

extension MethodDescriptor.Kind {
    fileprivate var text: String {
        switch self {
        case .unary: "unary"
        case .clientStreaming: "client_streaming"
        case .serverStreaming: "server_streaming"
        case .bidirectional: "bidirectional"
        }
    }
}
