// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A token bucket that stops retries when most calls fail, so that they do not make an overload worse.
///
/// It starts full; a failure takes one token, a success gives `tokenRatio` back, and retries go on only while more
/// than half of the tokens are there. Source: gRFC A6, *Throttling Retry Attempts and Hedged RPCs*.
public struct RetryThrottle: Sendable, Hashable {
    // Thousandths of tokens: the precision that A6 asks for, without rounding errors that add up.
    private static let unit = 1000
    fileprivate let capacity: Int
    private let gain: Int
    fileprivate var level: Int

    /// A full bucket.
    ///
    /// - Parameters:
    ///   - maxTokens: its size, held in `1...1000`.
    ///   - tokenRatio: what a success gives back, held in `0.001...1000`; digits behind the third are dropped.
    public init(maxTokens: Int = 10, tokenRatio: Double = 0.1) {
        capacity = min(max(maxTokens, 1), 1000) * Self.unit
        gain = Int(max(0.001, min(tokenRatio, 1000)) * Double(Self.unit))
        level = capacity
    }

    /// Whether a failed call may be tried again.
    public var allowsRetry: Bool { level > capacity / 2 }

    /// The tokens that are there.
    public var tokens: Double { Double(level) / Double(Self.unit) }

    /// A try failed with a code that is retried, or with a server's wish for no retry.
    public mutating func failed() { level = max(0, level - Self.unit) }

    /// A call succeeded.
    public mutating func succeeded() { level = min(capacity, level + gain) }
}

/// A throttle that all calls of a channel share, without a lock: its level is one atomic word.
package final class SharedRetryThrottle: Sendable {
    private let full: RetryThrottle
    private let level: Atomic<Int>

    package init(_ throttle: RetryThrottle) {
        full = throttle
        level = Atomic(throttle.level)
    }

    /// The throttle as it is now.
    package var current: RetryThrottle { at(level.load(ordering: .relaxed)) }

    /// A call succeeded: nearly always there is nothing to write.
    func succeeded() {
        if level.load(ordering: .relaxed) < full.capacity { update { $0.succeeded() } }
    }

    /// A try failed.
    package func failed() { update { $0.failed() } }

    /// Decides by the throttle and changes it. `body` runs again when another thread was faster: it must have no other
    /// effect.
    func decide<R>(_ body: (inout RetryThrottle?) -> R) -> R {
        update { throttle in
            var present: RetryThrottle? = throttle
            let result = body(&present)
            if let present { throttle = present }
            return result
        }
    }

    private func update<R>(_ body: (inout RetryThrottle) -> R) -> R {
        var old = level.load(ordering: .relaxed)
        while true {
            var throttle = at(old)
            let result = body(&throttle)
            let (exchanged, original) = level.compareExchange(
                expected: old, desired: throttle.level, ordering: .relaxed)
            if exchanged { return result }
            old = original
        }
    }

    private func at(_ level: Int) -> RetryThrottle {
        var throttle = full
        throttle.level = level
        return throttle
    }
}

extension RetryThrottle: CustomStringConvertible {
    /// One line: `10 tokens, 0.1 for each success`.
    public var description: String {
        "\(capacity / Self.unit) tokens, \(Double(gain) / Double(Self.unit)) for each success"
    }
}
