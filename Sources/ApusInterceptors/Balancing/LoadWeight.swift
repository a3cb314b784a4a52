// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How load reports become weights. Source: gRFC A58.
public struct LoadWeightRules: Sendable {
    /// How long an endpoint's reports must have come before its weight counts: when it is new, and when they stopped
    /// for a while.
    public var blackout: Duration = .seconds(10)
    /// How long after its last report an endpoint's weight counts.
    public var expiration: Duration = .seconds(180)
    /// The time between two looks at all endpoints' weights; at least 100 ms.
    public var update: Duration = .seconds(1)
    /// How much the share of failed calls adds to the utilization; not negative.
    public var errorPenalty = 1.0

    /// A58's defaults.
    public init() {}
}

/// The weight of one endpoint by its reports.
struct LoadWeight: Sendable {
    private var weight = 0.0
    private var reportedAt: MonotonicInstant?
    private var reportedSince: MonotonicInstant?

    /// Calls a second for each share of the server that they use, with failed calls as use; 0 when the report does not
    /// say both.
    static func weight(_ report: LoadReport, errorPenalty: Double) -> Double {
        let (calls, errors) = (report.requestsPerSecond ?? 0, report.errorsPerSecond ?? 0)
        let ownUse = report.applicationUtilization ?? 0
        var use = ownUse > 0 ? ownUse : report.cpuUtilization ?? 0
        guard use > 0, use.isFinite, calls > 0, calls.isFinite else { return 0 }
        if errors > 0, errorPenalty > 0 { use += errors / calls * errorPenalty }
        let weight = calls / use
        return weight.isFinite ? weight : 0
    }

    /// A report came.
    mutating func received(_ report: LoadReport, at now: MonotonicInstant, _ rules: LoadWeightRules) {
        let new = Self.weight(report, errorPenalty: rules.errorPenalty)
        guard new > 0 else { return }
        weight = new
        reportedAt = now
        if reportedSince == nil { reportedSince = now }
    }

    /// The endpoint's connection failed: its reports begin anew.
    mutating func disconnected() { reportedSince = nil }

    /// The present weight; 0 while it does not count.
    mutating func present(at now: MonotonicInstant, _ rules: LoadWeightRules) -> Double {
        guard let reportedAt, reportedAt.duration(to: now) < rules.expiration else {
            reportedSince = nil
            return 0
        }
        guard let reportedSince, reportedSince.duration(to: now) >= rules.blackout else { return 0 }
        return weight
    }
}
