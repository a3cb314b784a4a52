// SPDX-License-Identifier: Apache-2.0

import Figures

/// What a scenario did to the calls.
public struct ScenarioReport: Sendable {
    /// Which one.
    public let scenario: Scenario
    /// All calls.
    public let calls: Int
    /// Those that failed, whatever was tried.
    public let failed: Int
    /// Their errors, each once.
    public let errors: [String]
    /// The 99th percentile of the latencies of calls that were due before, during and after the fault.
    public let before, during, after: Duration?
    /// The same during the fault, of calls none of whose tries went to the ill instance.
    public let others: Duration?
    /// From the fault's begin until next to no try went to the ill instance any more; nil when that never came.
    public let left: Duration?

    init(_ scenario: Scenario, _ calls: [FinishedCall], tries: [Duration], victim: String, _ moments: Moments) {
        self.scenario = scenario
        self.calls = calls.count
        let failures = calls.compactMap(\.error)
        failed = failures.count
        errors = Array(Set(failures)).sorted()
        func p99(_ isMeant: (FinishedCall) -> Bool) -> Duration? {
            var histogram = LatencyHistogram()
            for call in calls where isMeant(call) { histogram.record(call.latency) }
            return histogram.percentile(0.99)
        }
        let fault = moments.begin..<moments.end
        before = p99 { $0.due < moments.begin }
        during = p99 { fault.contains($0.due) }
        after = p99 { $0.due >= moments.end }
        others = p99 { fault.contains($0.due) && !$0.instances.contains(victim) }
        left = Self.left(tries.filter(fault.contains), moments)
    }

    /// Begin and end of a fault, and how many tries an instance that is well gets in a second.
    struct Moments {
        var begin: Duration
        var end: Duration
        var fairRate: Double
    }

    /// The first moment after which, for a second or until the end, less than a quarter of its due tries went to the
    /// instance: a breaker's probes do not count as going there.
    static func left(_ tries: [Duration], _ moments: Moments) -> Duration? {
        let sorted = tries.sorted()
        let length = moments.end - moments.begin
        var moment = Duration.zero
        while moment < length {
            let window = min(.seconds(1), length - moment)
            let from = moments.begin + moment
            let count = sorted.count { $0 >= from && $0 < from + window }
            if Double(count) < moments.fairRate / 4 * (window / .seconds(1)) { return moment }
            moment += .milliseconds(50)
        }
        return nil
    }

    /// What was not as it has to be, one line each.
    ///
    /// - Parameter strict: whether times count, too; they say nothing on a machine that others use.
    public func faults(strict: Bool) -> [String] {
        var faults: [String] = []
        if calls == 0 { faults.append("\(scenario.rawValue): no calls were made") }
        if scenario.mayLoseNothing, failed > 0 { faults.append("\(scenario.rawValue): \(failed) calls failed") }
        if scenario.hasVictim, left == nil { faults.append("\(scenario.rawValue): the ill instance was never left") }
        guard strict, scenario.isTimed else { return faults }
        if let left, left > .seconds(3) {
            faults.append("\(scenario.rawValue): the ill instance was left after \(seconds(left)), not within 3 s")
        }
        if let before, let others, others > max(before * 2, .milliseconds(5)) {
            let text = "\(milliseconds(others)), before \(milliseconds(before))"
            faults.append("\(scenario.rawValue): p99 of the other calls was \(text)")
        }
        return faults
    }

    static let header = [
        "scenario", "calls", "failed", "p99 before", "during", "others", "after", "left within",
    ]

    var row: [String] {
        [
            scenario.rawValue, "\(calls)", "\(failed)", milliseconds(before), milliseconds(during),
            scenario.hasVictim ? milliseconds(others) : "-", milliseconds(after),
            scenario.hasVictim ? left.map(seconds) ?? "never" : "-",
        ]
    }

    /// The table of several.
    public static func table(_ reports: [ScenarioReport]) -> [String] {
        var table = TextTable(header: header, leftColumns: 1)
        for report in reports { table.add(report.row) }
        return table.lines
    }
}
