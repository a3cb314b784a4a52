// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// When a failed call is tried again: how often at most, and how long each try waits.
public struct RetrySchedule: Sendable, Hashable {
    private enum Waits: Hashable {
        case growing(initial: Duration, multiplier: Double, maximum: Duration, jitter: ClosedRange<Double>)
        case even(Duration)
    }

    /// Tries altogether, the first one included; at least 1.
    public let maximumAttempts: Int
    private let waits: Waits

    private init(maximumAttempts: Int, waits: Waits) {
        self.maximumAttempts = max(1, maximumAttempts)
        self.waits = waits
    }

    /// Waits that grow: the one before retry n takes min(initial × multiplier^(n-1), maximum) × a random factor.
    ///
    /// Source: gRFC A6, *Exponential Backoff*.
    ///
    /// - Parameters:
    ///   - maxAttempts: tries altogether, the first one included; below 1 it counts as 1, which is no retry.
    ///   - initial: the wait before the first retry; a negative one counts as zero, as does a negative `maximum`.
    ///   - multiplier: how much longer each wait is than the one before; below 0 it counts as 0.
    ///   - maximum: the longest wait before jitter.
    ///   - jitter: the range of the random factor; negative factors count as 0.
    public static func exponential(
        maxAttempts: Int = 4, initial: Duration = .milliseconds(100), multiplier: Double = 2,
        maximum: Duration = .seconds(5), jitter: ClosedRange<Double> = 0.8...1.2
    ) -> RetrySchedule {
        RetrySchedule(
            maximumAttempts: maxAttempts,
            waits: .growing(initial: initial, multiplier: multiplier, maximum: maximum, jitter: jitter))
    }

    /// R = ⌊total / interval⌋ retries after the first try, each `interval` after the failure before it.
    ///
    /// - Throws: INVALID_ARGUMENT when `interval` is not longer than zero or `total` is negative.
    public static func fixed(total: Duration, interval: Duration) throws(RPCError) -> RetrySchedule {
        guard interval > .zero else {
            throw RPCError(.invalidArgument, "a retry interval must be longer than zero, and is \(interval)")
        }
        guard total >= .zero else {
            throw RPCError(.invalidArgument, "a total retry time must not be negative, and is \(total)")
        }
        let retries = Int(clamping: total.attoseconds / interval.attoseconds)
        let attempts = retries.addingReportingOverflow(1)
        return RetrySchedule(maximumAttempts: attempts.overflow ? .max : attempts.partialValue, waits: .even(interval))
    }

    /// The wait before a retry.
    ///
    /// - Parameters:
    ///   - retry: its place in the row of waits, 1 for the first.
    ///   - random: a uniformly random number in `0..<1`.
    public func wait(beforeRetry retry: Int, random: Double) -> Duration {
        switch waits {
        case .even(let interval):
            return interval
        case .growing(let initial, let multiplier, let maximum, let jitter):
            let steps = power(max(0, multiplier), max(1, retry) - 1)
            let grown = min(initial.nanoseconds * steps, maximum.nanoseconds)
            let factor = jitter.lowerBound + (jitter.upperBound - jitter.lowerBound) * random
            return Duration(nanoseconds: grown * factor)
        }
    }
}

// Without the C library's pow. It stops growing long before the count of a large schedule is reached.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
        if rest & 1 == 1 { result *= square }
        square *= square
        rest >>= 1
    }
    return result
}

extension Duration {
    fileprivate var nanoseconds: Double { Double(saturatedNanoseconds) }

    // Held in range: not negative, at most about 146 years; zero for what is no number.
    fileprivate init(nanoseconds: Double) {
        self = .nanoseconds(Int64(max(0, min(nanoseconds, 0x1p62)).rounded()))
    }
}

extension RetrySchedule: CustomStringConvertible {
    /// One line: `0.1 seconds, then 2.0 times as long, 5.0 seconds at most, jitter 0.8 to 1.2`.
    public var description: String {
        switch waits {
        case .even(let interval): "\(interval) each"
        case .growing(let initial, let multiplier, let maximum, let jitter):
            "\(initial), then \(multiplier) times as long, \(maximum) at most, jitter \(jitter.lowerBound) to \(jitter.upperBound)"
        }
    }
}
