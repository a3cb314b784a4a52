// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Bounds the retries of all calls that share it: a share of the calls, and some each second besides.
///
/// A limit of tries for each call still lets all of them together multiply the load of a service that is down, by that
/// limit. A budget holds the sum: at 20 % a service never sees more than 1.2 times its calls, and the 10 a second
/// let channels of few calls retry, too. Source: the retry budgets of Finagle and of the SRE book.
///
/// Without a lock: a call adds to it, a retry takes from it.
public final class RetryBudget: Sendable {
    // Thousandths of retries.
    private static let unit = 1000
    private let gain: Int
    private let capacity: Int
    private let saved = Atomic<Int>(0)
    private let perSecond: Double
    private let reserve: SharedTokenBucket

    /// A budget.
    ///
    /// - Parameters:
    ///   - share: retries for each call, held in `0...10`.
    ///   - perSecond: retries a second that need no calls, held in `0.001...10⁹`.
    ///   - saved: unused retries of past calls that are kept for later ones, held in `1...10⁹`.
    public init(share: Double = 0.2, perSecond: Double = 10, saved: Int = 100) {
        gain = Int(max(0, min(share, 10)) * Double(Self.unit))
        capacity = min(max(1, saved), 1_000_000_000) * Self.unit
        let rate = max(0.001, min(perSecond, 1e9))
        self.perSecond = rate
        reserve = SharedTokenBucket(TokenBucket(perSecond: rate, burst: Int(rate.rounded(.up))))
    }

    /// A call starts: it brings its share.
    public func callStarted() {
        // Nearly always full, and then nothing is written that other threads read.
        if saved.load(ordering: .relaxed) < capacity { saved.wrappingAdd(gain, ordering: .relaxed) }
    }

    /// Takes one retry.
    ///
    /// - Returns: whether there was one.
    public func takeRetry(at now: MonotonicInstant) -> Bool {
        var old = saved.load(ordering: .relaxed)
        while old >= Self.unit {
            let (exchanged, original) = saved.compareExchange(
                expected: old, desired: min(old, capacity) - Self.unit, ordering: .relaxed)
            if exchanged { return true }
            old = original
        }
        return reserve.take(at: now) == .taken
    }
}

extension RetryBudget: CustomStringConvertible {
    /// One line: `0.2 of the calls, 10.0 a second, 100 saved at most`.
    public var description: String {
        "\(Double(gain) / Double(Self.unit)) of the calls, \(perSecond) a second, \(capacity / Self.unit) saved at most"
    }
}
