// SPDX-License-Identifier: Apache-2.0

/// When the calls of an open loop are due: at a fixed rate, whatever became of earlier ones. Latency counts from that
/// moment, so that a server which stalls is charged for the calls it held up. Source: Gil Tene, *How NOT to measure
/// latency* (coordinated omission).
public struct ArrivalSchedule: Sendable, Hashable {
    /// Calls a second, above 0.
    public let rate: Double
    /// The time in which the rate grows from 0, in a straight line.
    public let ramp: Duration

    /// A schedule; a rate below one call a day counts as that.
    public init(rate: Double, ramp: Duration = .zero) {
        self.rate = max(rate, 1.0 / 86_400)
        self.ramp = max(ramp, .zero)
    }

    /// The moment of a call, counted from 0, after the start.
    public func due(_ call: Int) -> Duration {
        let number = Double(max(call, 0))
        let ramp = ramp / .seconds(1)
        // A triangle: by time t of the ramp, rate · t² / (2 · ramp) calls are due.
        let inRamp = rate * ramp / 2
        guard number >= inRamp else { return .seconds((2 * number * ramp / rate).squareRoot()) }
        return .seconds(min(ramp + (number - inRamp) / rate, 1e9))
    }

    /// How many calls are due by a moment, the one at that moment included.
    public func count(by moment: Duration) -> Int {
        let (time, ramp) = (moment / .seconds(1), ramp / .seconds(1))
        guard time >= 0 else { return 0 }
        let reached = time < ramp ? rate * time * time / (2 * ramp) : rate * ramp / 2 + (time - ramp) * rate
        return Int(min(reached, 1e15).rounded(.down)) + 1
    }

    /// When a lane of a closed loop begins, so that they do not all come at once.
    public static func start(ofLane lane: Int, of lanes: Int, ramp: Duration) -> Duration {
        lanes > 1 ? ramp * Double(lane) / Double(lanes) : .zero
    }
}
