// SPDX-License-Identifier: Apache-2.0

/// What became of the calls of a run.
public struct LoadTally: Sendable {
    /// Latencies of calls that ended well, from the moment at which they were due.
    public private(set) var latency = LatencyHistogram()
    /// The same from the moment at which they were sent: without what the generator itself was late.
    public private(set) var service = LatencyHistogram()
    /// The latencies by time.
    public private(set) var timeline = Timeline()
    /// How many calls failed with each status.
    public private(set) var failures: [String: Int] = [:]
    /// The first error of each status, as an example.
    public private(set) var examples: [String: String] = [:]
    /// Calls that were sent more than 10 ms after they were due.
    public private(set) var late = 0

    /// When the last call ended, after the start of the measurement.
    public private(set) var lastEnd = Duration.zero

    /// Nothing has happened yet.
    public init() {}

    /// All calls that ended.
    public var calls: Int { latency.count + failed }
    /// Calls that failed.
    public var failed: Int { failures.values.reduce(0, +) }

    /// Records a call.
    ///
    /// - Parameters:
    ///   - due: when it was due, after the start of the measurement.
    ///   - sent: when it was sent, likewise.
    ///   - ended: when it ended, likewise.
    ///   - failure: the name of its status and the error; nil when it ended well.
    public mutating func record(
        due: Duration, sent: Duration, ended: Duration, failure: (status: String, text: String)? = nil
    ) {
        if sent - due > .milliseconds(10) { late += 1 }
        lastEnd = max(lastEnd, ended)
        if let failure {
            failures[failure.status, default: 0] += 1
            if examples[failure.status] == nil { examples[failure.status] = failure.text }
            timeline.record(nil, at: due)
        } else {
            latency.record(ended - due)
            service.record(ended - sent)
            timeline.record(ended - due, at: due)
        }
    }

    /// Adds what another one recorded.
    public mutating func merge(_ other: LoadTally) {
        latency.merge(other.latency)
        service.merge(other.service)
        timeline.merge(other.timeline)
        failures.merge(other.failures) { $0 + $1 }
        examples.merge(other.examples) { first, _ in first }
        late += other.late
        lastEnd = max(lastEnd, other.lastEnd)
    }
}
