// SPDX-License-Identifier: Apache-2.0

import Apus
import Figures
import Testing

@testable import FailureDrill

@Suite struct ScenarioReportTests {
    // A fault from second 10 to second 18; an instance that is well gets 100 tries a second.
    private let moments = ScenarioReport.Moments(begin: .seconds(10), end: .seconds(18), fairRate: 100)

    private func tries(from start: Double, to end: Double, perSecond rate: Double) -> [Duration] {
        stride(from: start, to: end, by: 1 / rate).map { .seconds($0) }
    }

    private func call(
        _ due: Double, _ milliseconds: Int, error: String? = nil, at instances: [String] = ["b"]
    ) -> FinishedCall {
        FinishedCall(due: .seconds(due), latency: .milliseconds(milliseconds), error: error, instances: instances)
    }

    @Test func `an instance that goes on getting its share was never left`() {
        #expect(ScenarioReport.left(tries(from: 10, to: 18, perSecond: 100), moments) == nil)
    }

    @Test func `an instance that is left is left at its last tries`() throws {
        let left = try #require(ScenarioReport.left(tries(from: 10, to: 12, perSecond: 100), moments))
        #expect(left > .seconds(1) && left <= .seconds(2))
        #expect(ScenarioReport.left([], moments) == .zero)
    }

    @Test func `a breaker's probes do not count as going there, coming back does`() throws {
        let probes = tries(from: 11, to: 18, perSecond: 3)
        let left = try #require(ScenarioReport.left(tries(from: 10, to: 11, perSecond: 100) + probes, moments))
        #expect(left <= .seconds(1))
        // Left for half a second only.
        let pause = tries(from: 10, to: 11, perSecond: 100) + tries(from: 11.5, to: 18, perSecond: 100)
        #expect(ScenarioReport.left(pause, moments) == nil)
    }

    @Test func `latencies are told apart by when calls were due and whom they met`() {
        let calls = [call(9, 1), call(11, 400, at: ["a", "b"]), call(12, 3), call(19, 2)]
        let report = ScenarioReport(.freeze, calls, tries: [], victim: "a", moments)
        let times = [report.before, report.during, report.others, report.after].map {
            $0.map { Int($0 / .milliseconds(1)) }
        }
        #expect(times == [1, 401, 3, 2])
        #expect(report.calls == 4 && report.failed == 0)
    }

    @Test func `a failed call is a fault where none may fail`() {
        let calls = [call(9, 1), call(11, 1, error: "UNAVAILABLE")]
        #expect(
            ScenarioReport(.rollingRestart, calls, tries: [], victim: "a", moments).faults(strict: false)
                == ["rolling restart: 1 calls failed"])
        #expect(ScenarioReport(.errors, calls, tries: [], victim: "a", moments).faults(strict: true).isEmpty)
        #expect(
            ScenarioReport(.kill, [], tries: [], victim: "a", moments).faults(strict: false)
                == ["SIGKILL: no calls were made"])
    }

    @Test func `times are faults only in a strict drill`() {
        let calls = [call(9, 10), call(11, 30)]
        let tries = tries(from: 10, to: 15, perSecond: 100)
        let report = ScenarioReport(.slow, calls, tries: tries, victim: "a", moments)
        #expect(report.faults(strict: false).isEmpty)
        #expect(report.faults(strict: true).count == 2)
        let never = ScenarioReport(
            .slow, calls, tries: self.tries(from: 10, to: 18, perSecond: 100), victim: "a", moments)
        #expect(never.faults(strict: false) == ["slow answers: the ill instance was never left"])
    }

    @Test func `the table has a line for each scenario`() {
        let report = ScenarioReport(.kill, [call(9, 1), call(11, 2)], tries: [], victim: "a", moments)
        let lines = ScenarioReport.table([report, report])
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix("SIGKILL") && lines[1].hasSuffix("0.0 s"))
    }
}
