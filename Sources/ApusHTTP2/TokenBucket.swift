// SPDX-License-Identifier: Apache-2.0

/// A budget that is refilled by time, up to a burst, and by useful work, beyond it. Knows no clock.
package struct TokenBucket {
    private let burst: Double
    private let perNanosecond: Double
    private var tokens: Double
    private var refilled: Int64?

    // What work earned may be saved up: a peer with thousands of streams may cancel them all at once.
    private static let maximum = 100_000.0

    /// - Parameters:
    ///   - burst: what may be spent at once.
    ///   - perSecond: what time gives back, up to `burst`.
    package init(burst: Int, perSecond: Double) {
        self.burst = Double(burst)
        perNanosecond = perSecond / 1e9
        tokens = Double(burst)
    }

    /// Spends one token.
    ///
    /// - Parameter now: nanoseconds of a clock that does not go back.
    /// - Returns: whether there was one.
    package mutating func spend(at now: Int64) -> Bool {
        if tokens < burst {
            let elapsed = Double(max(0, now &- (refilled ?? now)))
            tokens = min(burst, tokens + elapsed * perNanosecond)
        }
        refilled = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// Gives tokens for useful work.
    package mutating func earn(_ count: Double) { tokens = min(Self.maximum, tokens + count) }
}
