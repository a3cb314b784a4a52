// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import LoadFigures
import Testing

@testable import ApusCLI

struct RunReportTests {
    private let method = MethodDescriptor(service: "a.B", name: "C", kind: .unary)

    private func tally(failures: Int = 0) -> LoadTally {
        var tally = LoadTally()
        for step in 0..<100 {
            let due = Duration.milliseconds(step * 10)
            tally.record(due: due, sent: due, ended: due + .milliseconds(step % 10 + 1))
        }
        for _ in 0..<failures {
            tally.record(due: .zero, sent: .zero, ended: .zero, failure: ("UNAVAILABLE", "UNAVAILABLE: gone"))
        }
        return tally
    }

    private func report(rate: Double? = nil, _ tally: LoadTally) -> RunReport {
        let plan = LoadPlan(lanes: 16, rate: rate, ramp: .zero, warmUp: .zero, duration: .seconds(1))
        return RunReport(method: method, address: ":1", plan: plan, 2, tally, measured: .seconds(1))
    }

    @Test func `the title says what was done`() {
        #expect(report(tally()).title == "a.B/C at :1: closed loop, 16 lanes for 1.00 s, 2 connections")
        #expect(
            report(rate: 100, tally()).title == "a.B/C at :1: open loop, 100 calls a second for 1.00 s, 2 connections")
    }

    @Test func `people see calls, failures, percentiles and drawings, each line within the width`() {
        let lines = report(rate: 100, tally(failures: 3)).lines(width: 80)
        #expect(lines.contains("  calls    103, 103 a second, 3 failed"))
        #expect(lines.contains("  failed   3 UNAVAILABLE, such as: UNAVAILABLE: gone"))
        #expect(lines.contains { $0.contains("p99.9") && $0.contains("max") })
        #expect(lines.contains { $0.contains("since due") } && lines.contains { $0.contains("since sent") })
        #expect(lines.filter { $0.contains("█") }.count >= 5)
        #expect(lines.allSatisfy { $0.count <= 80 })
    }

    @Test func `a closed loop has one row of percentiles`() {
        let lines = report(tally()).lines(width: 80)
        #expect(lines.contains { $0.contains("a call") })
        #expect(!lines.contains { $0.contains("since due") })
    }

    @Test func `without a call that succeeded there are no percentiles`() {
        var tally = LoadTally()
        tally.record(due: .zero, sent: .zero, ended: .zero, failure: ("INTERNAL", "odd"))
        #expect(report(tally).lines(width: 80).count == 4)
    }

    @Test func `programs get numbers in JSON`() throws {
        let text = report(rate: 100, tally(failures: 3)).json
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(json["mode"] as? String == "open")
        #expect(json["calls"] as? Int == 103)
        #expect(json["failures"] as? [String: Int] == ["UNAVAILABLE": 3])
        let latency = try #require(json["latency_us"] as? [String: Double])
        #expect(latency["max"] == 10_000)
        #expect(abs(try #require(latency["p50"]) - 5000) < 80)
        let timeline = try #require(json["timeline"] as? [String: Any])
        #expect((timeline["steps"] as? [[String: Any]])?.count == 4)
    }

    @Test func `an empty run is JSON, too`() throws {
        let json = try JSONSerialization.jsonObject(with: Data(report(LoadTally()).json.utf8)) as? [String: Any]
        #expect((json?["latency_us"] as? [String: Any])?["p99"] is NSNull)
    }

    @Test func `the line of progress tells the last half second's rate`() {
        let plan = LoadPlan(lanes: 1, rate: nil, ramp: .zero, warmUp: .seconds(1), duration: .seconds(9))
        let (now, before) = (tally(failures: 3), LoadTally())
        #expect(
            LoadProgress.text(plan, elapsed: .seconds(2), now, since: before, step: .milliseconds(500))
                == "  2.0 s of 10.0 s  103 calls  206/s  p50 5.05 ms  p99 10.0 ms  3 failed")
        #expect(
            LoadProgress.text(plan, elapsed: .milliseconds(500), before, since: before, step: .milliseconds(500))
                == "  0.5 s of 10.0 s  warming up")
    }

    @Test func `the process ends with the most frequent error's status`() {
        var tally = tally(failures: 2)
        #expect(LoadCommand.status(of: tally) == 14)
        for _ in 0..<3 { tally.record(due: .zero, sent: .zero, ended: .zero, failure: ("NOT_FOUND", "")) }
        #expect(LoadCommand.status(of: tally) == 5)
        #expect(LoadCommand.status(of: LoadTally()) == 2)
    }
}
