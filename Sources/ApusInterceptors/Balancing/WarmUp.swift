// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Gives endpoints that are new a small share of the calls first, and all of it after a while: caches fill and code
/// gets fast before the load is there. Source: Envoy, *Slow start mode*.
///
/// The share is max(`minimumShare`, (max(t, 1 s) / `window`)^(1 / `aggression`)), where t is the time since a balancer
/// first met the endpoint, or met it again after its connection had failed. Endpoints that begin together share alike.
public struct WarmUp: Sendable {
    let clock: any MonotonicClock
    private let rule: WarmUpRule
    private let owner = EndpointAttachment.Owner()

    /// A time to warm up.
    ///
    /// - Parameters:
    ///   - window: the time until an endpoint has its full share.
    ///   - aggression: above 1 the share grows fast at first and slowly then, below 1 the other way round; positive.
    ///   - minimumShare: what an endpoint gets at least; held in `0.01...1`.
    public init(
        window: Duration, aggression: Double = 1, minimumShare: Double = 0.1,
        clock: any MonotonicClock = SystemClock()
    ) {
        rule = WarmUpRule(window: window, aggression: aggression, minimumShare: minimumShare)
        self.clock = clock
    }

    /// Whether a draw of this endpoint counts: with the probability of its share.
    func admits(_ handle: EndpointHandle, at now: MonotonicInstant, _ random: any RandomSource) -> Bool {
        let share = share(of: handle, at: now)
        return share >= 1 || random.unit() < share
    }

    func share(of handle: EndpointHandle, at now: MonotonicInstant) -> Double {
        let start = handle.attachment(of: owner) { WarmUpStart() }
        return rule.share(after: start.moment(handle.connectivity, now).duration(to: now))
    }
}

/// The share after a time.
struct WarmUpRule: Sendable {
    private let window: Double
    private let exponent: Double
    fileprivate let minimum: Double

    init(window: Duration, aggression: Double, minimumShare: Double) {
        self.window = Double(max(1, window.saturatedNanoseconds))
        exponent = aggression > 0 && aggression.isFinite ? 1 / aggression : 1
        minimum = minimumShare.isNaN ? 1 : max(0.01, min(minimumShare, 1))
    }

    func share(after time: Duration) -> Double {
        let factor = Double(max(1_000_000_000, time.saturatedNanoseconds)) / window
        return factor >= 1 ? 1 : max(minimum, factor.raised(to: exponent))
    }
}

/// When an endpoint began to warm up.
private final class WarmUpStart: Sendable {
    private static let cold = Int64.min
    private let nanoseconds = Atomic<Int64>(cold)

    func moment(_ state: ConnectivityState, _ now: MonotonicInstant) -> MonotonicInstant {
        if state == .transientFailure {
            nanoseconds.store(Self.cold, ordering: .relaxed)
            return now
        }
        let known = nanoseconds.load(ordering: .relaxed)
        if known != Self.cold { return MonotonicInstant(nanoseconds: known) }
        let (_, original) = nanoseconds.compareExchange(
            expected: Self.cold, desired: now.nanoseconds, ordering: .relaxed)
        return original == Self.cold ? now : MonotonicInstant(nanoseconds: original)
    }
}

extension WarmUp: CustomStringConvertible {
    /// One line: `60.0 seconds, aggression 1.0, 0.1 at least`.
    public var description: String { rule.description }
}

extension WarmUpRule: CustomStringConvertible {
    var description: String {
        "\(Duration.nanoseconds(Int64(min(window, 0x1p62)))), aggression \(1 / exponent), \(minimum) at least"
    }
}
