// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// How long a hedged call waits for the answer to one try before it sends another.
public struct HedgeDelay: Sendable {
    enum Kind: Sendable {
        case fixed(Duration)
        case measured(MeasuredDelay)
    }

    let kind: Kind

    /// The same for each call; zero sends all tries at once.
    public static func fixed(_ delay: Duration) -> HedgeDelay { HedgeDelay(kind: .fixed(max(.zero, delay))) }

    /// As long as that share of the last calls took: at 0.95 one call of twenty is hedged.
    ///
    /// - Parameters:
    ///   - share: held in `0...1`.
    ///   - range: what the delay is held in; its upper end counts until there were 100 calls.
    ///   - window: calls are remembered for this long, and at most twice as long.
    public static func percentile(
        _ share: Double = 0.95, in range: ClosedRange<Duration> = .milliseconds(1) ... .seconds(1),
        window: Duration = .seconds(30)
    ) -> HedgeDelay {
        HedgeDelay(kind: .measured(MeasuredDelay(share: max(0, min(share, 1)), range: range, window: window)))
    }

    var present: Duration {
        switch kind {
        case .fixed(let delay): delay
        case .measured(let measured): measured.delay
        }
    }

    /// A call took this long.
    func note(_ latency: Duration, at now: MonotonicInstant) {
        if case .measured(let measured) = kind { measured.note(latency, at: now) }
    }
}

/// A delay that follows the latencies of a channel's calls.
final class MeasuredDelay: Sendable {
    private static let enough = 100
    // So often the delay is computed anew: a scan over some hundred numbers.
    private static let stride = 32

    private let share: Double
    private let range: ClosedRange<Duration>
    private let window: Mutex<LatencyWindow>
    private let nanoseconds: Atomic<Int64>

    init(share: Double, range: ClosedRange<Duration>, window: Duration) {
        self.share = share
        self.range = range
        self.window = Mutex(LatencyWindow(length: window))
        nanoseconds = Atomic(range.upperBound.saturatedNanoseconds)
    }

    var delay: Duration { .nanoseconds(nanoseconds.load(ordering: .relaxed)) }

    func note(_ latency: Duration, at now: MonotonicInstant) {
        let (share, range) = (share, range)
        let delay = window.withLock { window -> Duration? in
            window.add(latency, at: now)
            guard window.count >= Self.enough, window.count.isMultiple(of: Self.stride) else { return nil }
            return min(max(window.quantile(share), range.lowerBound), range.upperBound)
        }
        if let delay { nanoseconds.store(delay.saturatedNanoseconds, ordering: .relaxed) }
    }
}

extension HedgeDelay: CustomStringConvertible {
    /// One line: the delay, or the percentile and what it is at present.
    public var description: String {
        switch kind {
        case .fixed(let delay): "\(delay)"
        case .measured(let measured): measured.description
        }
    }
}

extension MeasuredDelay: CustomStringConvertible {
    var description: String {
        "the \(share) quantile, \(range.lowerBound) to \(range.upperBound), now \(delay)"
    }
}
