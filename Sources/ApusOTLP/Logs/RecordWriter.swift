// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry
import Synchronization

/// Gives lines to an exporter, so many of each class a second at most, and says how many it left out.
final class RecordWriter: Sendable {
    private let exporter: OTLPLogsExporter
    private let rates: Mutex<LogRates>
    private let clock: any MonotonicClock
    private let lowest: LogSeverity

    init(
        _ exporter: OTLPLogsExporter, from lowest: LogSeverity, linesPerSecond: Int, clock: any MonotonicClock
    ) {
        self.exporter = exporter
        self.clock = clock
        self.lowest = lowest
        rates = Mutex(LogRates(linesPerSecond: linesPerSecond))
    }

    /// Gives a line, which is not even made when it is held back.
    func write(_ severity: LogSeverity, of call: CallRecord? = nil, _ line: () -> LogLine) {
        guard severity >= lowest else { return }
        let now = clock.now
        guard let leftOut = rates.withLock({ $0.admit(severity, at: now) }) else { return }
        exporter.add(line(), leftOut: leftOut, of: call)
    }

    func write(_ line: LogLine) { write(line.severity) { line } }
}
