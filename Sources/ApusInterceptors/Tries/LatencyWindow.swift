// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The latencies of the last calls, each known to one part in eight: what quantiles are read from.
///
/// Two halves take turns, so that at least one window's calls are remembered, and at most two windows'.
struct LatencyWindow: Sendable {
    // Eight steps for each power of two of nanoseconds, up to 2^42 (73 minutes).
    private static let steps = 8
    private static let slots = 42 * steps

    private let length: Duration
    private var present = [UInt32](repeating: 0, count: slots)
    private var past = [UInt32](repeating: 0, count: slots)
    private var presentCount = 0
    private var pastCount = 0
    private var turnsAt: MonotonicInstant?

    init(length: Duration) { self.length = max(.nanoseconds(1), length) }

    /// Latencies that are remembered.
    var count: Int { presentCount + pastCount }

    mutating func add(_ latency: Duration, at now: MonotonicInstant) {
        turn(at: now)
        let slot = Self.slot(latency.saturatedNanoseconds)
        if present[slot] < .max { present[slot] += 1 }
        presentCount += 1
    }

    /// A latency that `share` of those remembered do not exceed, rounded up to a step; zero when there are none.
    func quantile(_ share: Double) -> Duration {
        let rank = max(1, Int((share * Double(count)).rounded(.up)))
        var seen = 0
        for slot in 0..<Self.slots {
            seen += Int(present[slot]) + Int(past[slot])
            if seen >= rank { return .nanoseconds(Self.upperBound(of: slot)) }
        }
        return .zero
    }

    private mutating func turn(at now: MonotonicInstant) {
        guard let turnsAt else {
            turnsAt = now.advanced(by: length)
            return
        }
        guard now >= turnsAt else { return }
        let isLate = turnsAt.duration(to: now) >= length
        swap(&present, &past)
        pastCount = isLate ? 0 : presentCount
        presentCount = 0
        for slot in 0..<Self.slots { present[slot] = 0 }
        if isLate { for slot in 0..<Self.slots { past[slot] = 0 } }
        self.turnsAt = now.advanced(by: length)
    }

    private static func slot(_ nanoseconds: Int64) -> Int {
        let value = UInt64(max(Int64(steps), nanoseconds))
        let power = 63 - value.leadingZeroBitCount
        let step = Int(truncatingIfNeeded: value >> UInt64(power - 3)) & (steps - 1)
        return min(power * steps + step, slots - 1)
    }

    private static func upperBound(of slot: Int) -> Int64 {
        let (power, step) = slot.quotientAndRemainder(dividingBy: steps)
        guard power >= 3 else { return Int64(steps) }
        return (Int64(steps + step + 1) << Int64(power - 3)) - 1
    }
}
