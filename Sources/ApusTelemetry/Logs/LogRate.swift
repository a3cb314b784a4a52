// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Lets so many lines pass each second, and counts what it holds back: a storm of errors may not fill a disk.
package struct LogRate: Sendable {
    private static var second: Int64 { 1_000_000_000 }

    // What a line costs of the time that has passed, in nanoseconds.
    private let cost: Int64
    // Time that is not used up; a second's at most, so a burst is no longer than a second's lines.
    private var credit = Self.second
    private var last: MonotonicInstant?
    private var dropped = 0

    /// - Parameter linesPerSecond: below 1 it counts as 1.
    package init(linesPerSecond: Int) { cost = max(1, Self.second / Int64(max(1, linesPerSecond))) }

    /// Asks for a line.
    ///
    /// - Returns: how many were held back since the last one; nil when this one is, too.
    package mutating func admit(at now: MonotonicInstant) -> Int? {
        let passed = last.map { $0.duration(to: now).saturatedNanoseconds } ?? 0
        last = now
        credit = min(Self.second, credit + min(max(0, passed), Self.second))
        guard credit >= cost else {
            dropped += 1
            return nil
        }
        credit -= cost
        defer { dropped = 0 }
        return dropped
    }
}

/// Rates for lines by how much they matter: a flood of good calls, or of callers' mistakes, may not keep a failure out of
/// the log.
package struct LogRates: Sendable {
    private var usual: LogRate
    private var notices: LogRate
    private var failures: LogRate

    /// - Parameter linesPerSecond: of each; below 1 it counts as 1.
    package init(linesPerSecond: Int) {
        usual = LogRate(linesPerSecond: linesPerSecond)
        notices = usual
        failures = usual
    }

    /// Asks for a line of this severity.
    ///
    /// - Returns: how many of its class were held back since the last one; nil when this one is, too.
    package mutating func admit(_ severity: LogSeverity, at now: MonotonicInstant) -> Int? {
        switch severity {
        case .debug, .info: usual.admit(at: now)
        case .notice: notices.admit(at: now)
        case .warning, .error: failures.admit(at: now)
        }
    }
}
