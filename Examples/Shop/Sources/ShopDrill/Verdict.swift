// SPDX-License-Identifier: Apache-2.0

import Figures
import Foundation

/// What the drill found, and whether it passed.
public struct Verdict: Sendable {
    /// The last state of the table.
    public let snapshot: DrillSnapshot
    /// The first picks by service.
    public let picks: [String: PickTally]
    /// What was done twice or not at all, one line each; empty when each effect happened once.
    public let wrongEffects: [String]

    /// Chance alone makes a test with a smaller probability once in a million drills.
    public static let leastProbability = 1e-6

    /// A verdict over what was found.
    public init(snapshot: DrillSnapshot, picks: [String: PickTally], wrongEffects: [String]) {
        self.snapshot = snapshot
        self.picks = picks
        self.wrongEffects = wrongEffects
    }

    /// Whether the drill passed.
    public var passed: Bool { faults.isEmpty }

    /// Why it did not, one line each.
    public var faults: [String] {
        var faults = wrongEffects
        if snapshot.calls == 0 { faults.append("no calls were made") }
        if snapshot.failed > 0 { faults.append("\(snapshot.failed) of \(snapshot.calls) calls failed") }
        for (service, tally) in picks.sorted(by: { $0.key < $1.key }) {
            faults += Self.faults(of: tally, service: service)
        }
        return faults
    }

    private static func faults(of tally: PickTally, service: String) -> [String] {
        var faults: [String] = []
        if tally.foreign > 0 { faults.append("\(service): \(tally.foreign) picks of an instance that was not known") }
        if tally.unreachable > 0 {
            faults.append("\(service): \(tally.unreachable) picks of an instance that could not be reached")
        }
        if tally.tested == 0 { faults.append("\(service): too few picks to judge their shares") }
        let probability = tally.uniformity.probability
        // Written so that a probability that is no number is a fault.
        if !(probability >= leastProbability) {
            faults.append("\(service): its shares are not chance (p = \(String(format: "%.1e", probability)))")
        }
        return faults
    }

    /// The lines to print.
    public var lines: [String] {
        var table = TextTable(
            header: ["service", "instance"] + Phase.allCases.flatMap { [$0.rawValue, "due"] } + ["calls", "errors"],
            leftColumns: 2)
        for row in snapshot.rows {
            let shares = Phase.allCases.flatMap {
                [percent(snapshot.share(of: row, in: $0)), percent(snapshot.dueShare(of: row, in: $0))]
            }
            table.add([row.service, row.instance] + shares + ["\(row.totalPicks)", "\(row.errors)"])
        }
        let calls = [
            "calls made:                \(snapshot.calls)",
            "calls failed:              \(snapshot.failed)",
            "tries repeated:            \(snapshot.retries)",
            "streams cut and continued: \(snapshot.resumed)",
            "done twice, lost or wrong: \(wrongEffects.count)",
        ]
        let legend = "(due: the mean of 1/n over the n instances that each first try had to choose from)"
        return table.lines + [legend, ""] + calls + picks.sorted { $0.key < $1.key }.map(Self.line) + ending
    }

    private static func line(service: String, tally: PickTally) -> String {
        let test = tally.uniformity
        return "\(service): "
            + String(
                format: "chi-square %.2f with %d degrees of freedom over %d first picks, p = %.3g", test.statistic,
                test.degreesOfFreedom, tally.tested, test.probability)
    }

    private var ending: [String] {
        passed ? ["PASSED"] : faults.map { "fault: \($0)" } + ["FAILED"]
    }
}
