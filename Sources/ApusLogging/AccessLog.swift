// SPDX-License-Identifier: Apache-2.0

#if Logging
    public import ApusCore
    public import ApusTelemetry
    public import Logging

    /// One structured line for each call of a channel or server, when it has ended. There with the package's trait
    /// `Logging` alone.
    ///
    /// A line has the method, the peer, the status, the time in seconds, bytes and messages as they went over the wire, of
    /// clients the tries, and the trace if there is one. Calls that went well are `info`, a caller's mistakes `notice`,
    /// overload and absence `warning`, what ought not to happen `error`. Values of metadata are not shown unless
    /// ``AccessLogRules/shownMetadata`` has their keys.
    ///
    /// ```swift
    /// let log = AccessLog(Logger(label: "access"), AccessLogRules(slow: .milliseconds(500), share: 0.01))
    /// let server = try Server([Users()], observer: log)
    /// ```
    public final class AccessLog: Observer {
        private let writer: LineWriter
        private let rules: AccessLogRules
        private let random: any RandomSource

        /// A log of calls.
        ///
        /// - Parameters:
        ///   - logger: where lines go.
        ///   - rules: which calls have one.
        ///   - random: what the share of calls is drawn from.
        ///   - clock: the time of the rate limit.
        public init(
            _ logger: Logger, _ rules: AccessLogRules = AccessLogRules(),
            random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
        ) {
            writer = LineWriter(logger, linesPerSecond: rules.linesPerSecond, clock: clock)
            self.rules = rules
            self.random = random
        }

        /// Writes the line of a client's call.
        public func callEnded(_ call: ClientCall, error: RPCError?) {
            guard let severity = severity(call.record, error) else { return }
            writer.write(severity) { LogLine(call, error: error, severity: severity, rules: rules) }
        }

        /// Writes the line of a server's call.
        public func serverCallEnded(_ call: ServerCall, error: RPCError?) {
            guard let severity = severity(call.record, error) else { return }
            writer.write(severity) { LogLine(call, error: error, severity: severity, rules: rules) }
        }

        /// Writes the line of a call that was refused at its headers.
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
#endif
