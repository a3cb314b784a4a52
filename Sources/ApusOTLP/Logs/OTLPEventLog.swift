// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusTelemetry

/// A log record for what happens besides calls: connections, lists of endpoints, breakers, ejections, health,
/// configuration, what servers refuse; and for each retry.
public final class OTLPEventLog: Observer {
    private let writer: RecordWriter

    /// A log of events; those for debugging, such as each wait for a connection, are left out.
    ///
    /// - Parameters:
    ///   - exporter: where records go.
    ///   - linesPerSecond: how many are written each second at most of what is usual, of notices, and of warnings and
    ///     errors, so many each; the record after a gap says how many were left out.
    ///   - clock: the time of that limit.
    public init(
        _ exporter: OTLPLogsExporter, linesPerSecond: Int = 100, clock: any MonotonicClock = SystemClock()
    ) {
        writer = RecordWriter(exporter, from: .info, linesPerSecond: linesPerSecond, clock: clock)
    }

    /// Writes that a call is tried again.
    public func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {
        writer.write(.info) { LogLine(retrying: call, after: error, delay: delay) }
    }

    /// Writes the list's size and its first endpoints.
    public func resolved(_ target: String, candidates: Candidates) {
        writer.write(LogLine(resolved: target, candidates.handles.map(\.endpoint)))
    }

    /// Writes the change.
    public func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        writer.write(LogLine(endpoint, from: old, to: new))
    }

    /// Writes the event.
    public func policyEvent(_ event: PolicyEvent) { writer.write(LogLine(event)) }

    /// Writes the event.
    public func serverEvent(_ event: ServerEvent) { writer.write(LogLine(event)) }
}
