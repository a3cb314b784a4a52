// SPDX-License-Identifier: Apache-2.0

#if Logging
    import ApusCore
    import ApusTelemetry
    import Logging
    import Synchronization

    /// Writes lines to a logger, so many of each class a second at most, and says how many it left out.
    final class LineWriter: Sendable {
        private let logger: Logger
        private let rates: Mutex<LogRates>
        private let clock: any MonotonicClock

        init(_ logger: Logger, linesPerSecond: Int, clock: any MonotonicClock) {
            self.logger = logger
            self.clock = clock
            rates = Mutex(LogRates(linesPerSecond: linesPerSecond))
        }

        /// Whether lines of this severity are written at all.
        func writes(_ severity: LogSeverity) -> Bool { logger.logLevel <= Logger.Level(severity) }

        /// Writes a line, which is not even made when it is held back.
        func write(_ severity: LogSeverity, _ line: () -> LogLine) {
            guard writes(severity) else { return }
            let now = clock.now
            guard let dropped = rates.withLock({ $0.admit(severity, at: now) }) else { return }
            let line = line()
            var metadata: Logger.Metadata = [:]
            for (key, value) in line.fields { metadata[key] = .string(value) }
            if dropped > 0 { metadata["lines_left_out"] = .stringConvertible(dropped) }
            logger.log(level: Logger.Level(severity), "\(line.message)", metadata: metadata)
        }

        func write(_ line: LogLine) { write(line.severity) { line } }
    }

    extension Logger.Level {
        fileprivate init(_ severity: LogSeverity) {
            switch severity {
            case .debug: self = .debug
            case .info: self = .info
            case .notice: self = .notice
            case .warning: self = .warning
            case .error: self = .error
            }
        }
    }
#endif
