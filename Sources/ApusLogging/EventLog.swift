// SPDX-License-Identifier: Apache-2.0

#if Logging
    public import ApusCore
    import ApusTelemetry
    public import Logging

    /// A line for what happens besides calls: connections, lists of endpoints, breakers, ejections, health, configuration,
    /// what servers refuse; and for each retry. There with the package's trait `Logging` alone.
    public final class EventLog: Observer {
        private let writer: LineWriter

        /// A log of events.
        ///
        /// - Parameters:
        ///   - logger: where lines go.
        ///   - linesPerSecond: how many are written each second at most of what is usual, of notices, and of warnings and
        ///     errors, so many each; the line after a gap says how many were left out.
        ///   - clock: the time of that limit.
        public init(_ logger: Logger, linesPerSecond: Int = 100, clock: any MonotonicClock = SystemClock()) {
            writer = LineWriter(logger, linesPerSecond: linesPerSecond, clock: clock)
        }

        /// Writes that a call is tried again.
        public func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {
            writer.write(.info) { LogLine(retrying: call, after: error, delay: delay) }
        }

        /// Writes that a call waits.
        public func waiting(_ call: ClientCall, for endpoint: EndpointHandle) {
            writer.write(.debug) { LogLine(waiting: call, for: endpoint.endpoint) }
        }

        /// Writes the list's size and its first endpoints.
        public func resolved(_ target: String, candidates: Candidates) {
            writer.write(LogLine(resolved: target, candidates.handles.map(\.endpoint)))
        }

        /// Writes the change.
        public func connectivityChanged(
            _ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState
        ) {
            writer.write(LogLine(endpoint, from: old, to: new))
        }

        /// Writes the event.
        public func policyEvent(_ event: PolicyEvent) { writer.write(LogLine(event)) }

        /// Writes the event.
        public func serverEvent(_ event: ServerEvent) { writer.write(LogLine(event)) }
    }
#endif
