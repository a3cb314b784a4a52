// SPDX-License-Identifier: Apache-2.0

public import ApusCore
public import ApusTelemetry

/// One log record for each call of a channel or server, when it has ended.
///
/// A record has the fields of an access log's line as attributes: the method, the peer, the status, the time in seconds,
/// bytes and messages, of clients the tries. With ``OTLPClientTracing`` and ``OTLPServerTracing`` it has the trace and
/// the span, too. Values of metadata are not shown unless `shownMetadata` of the rules has their keys.
public final class OTLPAccessLog: Observer {
    private let writer: RecordWriter
    private let rules: AccessLogRules
    private let random: any RandomSource

    /// A log of calls.
    ///
    /// - Parameters:
    ///   - exporter: where records go.
    ///   - rules: which calls have one.
    ///   - random: what the share of calls is drawn from.
    ///   - clock: the time of the rate limit.
    public init(
        _ exporter: OTLPLogsExporter, _ rules: AccessLogRules = AccessLogRules(),
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        writer = RecordWriter(exporter, from: .debug, linesPerSecond: rules.linesPerSecond, clock: clock)
        self.rules = rules
        self.random = random
    }

    /// Writes the record of a client's call.
    public func callEnded(_ call: ClientCall, error: RPCError?) {
        guard let severity = severity(call.record, error) else { return }
        writer.write(severity, of: call.record) { LogLine(call, error: error, severity: severity, rules: rules) }
    }

    /// Writes the record of a server's call.
    public func serverCallEnded(_ call: ServerCall, error: RPCError?) {
        guard let severity = severity(call.record, error) else { return }
        writer.write(severity, of: call.record) { LogLine(call, error: error, severity: severity, rules: rules) }
    }

    /// Writes the record of a call that was refused at its headers.
    public func serverEvent(_ event: ServerEvent) {
        guard case .callRefused(let method, let peer, let status) = event,
            let severity = severity(nil, RPCError(status))
        else { return }
        writer.write(severity) { LogLine(refused: method, peer: peer, status, severity: severity) }
    }

    private func severity(_ record: CallRecord?, _ error: RPCError?) -> LogSeverity? {
        rules.severity(error?.code ?? .ok, record?.duration, random: rules.share < 1 ? random.unit() : 0)
    }
}
