// SPDX-License-Identifier: Apache-2.0

/// Latencies by the time at which their calls were due, in a bounded number of steps: when a run outgrows them, they
/// become twice as long.
public struct Timeline: Sendable, Hashable {
    /// What happened in one step.
    public struct Step: Sendable, Hashable {
        /// The latencies of calls that ended well.
        public var latency = LatencyHistogram()
        /// Calls that failed.
        public var failures = 0
    }

    /// The most steps that there are.
    public static let maximumSteps = 128

    /// The time of each step.
    public private(set) var interval: Duration
    /// The steps from the start.
    public private(set) var steps: [Step] = []

    /// A timeline that begins with steps of this time.
    public init(interval: Duration = .milliseconds(250)) { self.interval = max(interval, .milliseconds(1)) }

    /// Records a call that was due at a time after the start; nil says that it failed.
    public mutating func record(_ latency: Duration?, at time: Duration) {
        let index = step(of: time)
        if steps.count <= index { steps += [Step](repeating: Step(), count: index + 1 - steps.count) }
        if let latency { steps[index].latency.record(latency) } else { steps[index].failures += 1 }
    }

    /// Adds what another one recorded.
    public mutating func merge(_ other: Timeline) {
        var other = other
        while other.interval < interval { other.widen() }
        while interval < other.interval { widen() }
        if steps.count < other.steps.count {
            steps += [Step](repeating: Step(), count: other.steps.count - steps.count)
        }
        for (index, step) in other.steps.enumerated() {
            steps[index].latency.merge(step.latency)
            steps[index].failures += step.failures
        }
    }

    private mutating func step(of time: Duration) -> Int {
        while max(time, .zero) / interval >= Double(Self.maximumSteps) { widen() }
        return Int(max(time, .zero) / interval)
    }

    private mutating func widen() {
        interval *= 2
        steps = stride(from: 0, to: steps.count, by: 2).map { index in
            var step = steps[index]
            if index + 1 < steps.count {
                step.latency.merge(steps[index + 1].latency)
                step.failures += steps[index + 1].failures
            }
            return step
        }
    }
}
