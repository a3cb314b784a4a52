// SPDX-License-Identifier: Apache-2.0

public import Figures

/// The three parts of the drill.
public enum Phase: String, Sendable, Hashable, CaseIterable {
    /// All instances are well.
    case before
    /// From the kill until the killed and the stopped instance serve again.
    case during
    /// All are well again.
    case after
}

/// What the driver knows of an instance's process.
public enum InstanceState: String, Sendable, Hashable {
    /// It is in the registry and its process runs.
    case serving
    /// SIGKILL.
    case killed
    /// SIGTERM.
    case stopped
    /// Started, not in the registry yet.
    case starting
}

/// An instance as the table shows it, with what happened at it so far.
public struct InstanceRow: Sendable, Hashable {
    /// The name of the service.
    public var service: String
    /// The name of the instance: unique.
    public var instance: String
    /// Whether it serves.
    public var state: InstanceState
    /// First tries that went to it, by phase.
    public var picks: [Phase: Int] = [:]
    /// How many it should have got: for each first try 1/n, while it was one of n that could be picked.
    public var due: [Phase: Double] = [:]
    /// Tries that failed at it; a retry may have saved their calls.
    public var errors = 0
    /// How long the calls took that it answered.
    public var latency = LatencyHistogram()

    /// An instance at which nothing happened yet.
    public init(service: String, instance: String, state: InstanceState) {
        self.service = service
        self.instance = instance
        self.state = state
    }

    /// First tries in all phases.
    public var totalPicks: Int { picks.values.reduce(0, +) }
}

/// All that the table shows at one moment.
public struct DrillSnapshot: Sendable, Hashable {
    /// Since the first call.
    public var elapsed: Duration
    /// The present part.
    public var phase: Phase
    /// Calls that ended.
    public var calls: Int
    /// Those of them that failed, retries and all.
    public var failed: Int
    /// Tries that were repeated.
    public var retries: Int
    /// Streams that were cut and went on where they had been.
    public var resumed: Int
    /// The instances, in the order in which they are shown.
    public var rows: [InstanceRow]

    /// A moment.
    public init(
        elapsed: Duration, phase: Phase, calls: Int, failed: Int, retries: Int = 0, resumed: Int = 0,
        rows: [InstanceRow]
    ) {
        self.elapsed = elapsed
        self.phase = phase
        self.calls = calls
        self.failed = failed
        self.retries = retries
        self.resumed = resumed
        self.rows = rows
    }

    /// The instance's part of its service's first tries in a phase, 0 to 1; nil when there were none.
    public func share(of row: InstanceRow, in phase: Phase) -> Double? {
        let all = rows.filter { $0.service == row.service }.reduce(0) { $0 + $1.picks[phase, default: 0] }
        return all == 0 ? nil : Double(row.picks[phase, default: 0]) / Double(all)
    }

    /// What the share should be: the mean of 1/n over the phase's first tries, with 0 for those at which the instance
    /// could not be picked; nil when there were none.
    public func dueShare(of row: InstanceRow, in phase: Phase) -> Double? {
        let all = rows.filter { $0.service == row.service }.reduce(0) { $0 + $1.due[phase, default: 0] }
        return all == 0 ? nil : row.due[phase, default: 0] / all
    }
}
