// SPDX-License-Identifier: Apache-2.0

import Figures
import Testing

@testable import ShopDrill

@Suite struct RenderingTests {
    func snapshot(failed: Int = 0) -> DrillSnapshot {
        var first = InstanceRow(service: "users", instance: "users-1", state: .serving)
        first.picks = [.before: 75, .during: 10]
        first.due = [.before: 50, .during: 10]
        first.latency.record(.milliseconds(2))
        var second = InstanceRow(service: "users", instance: "users-2", state: .killed)
        second.picks = [.before: 25]
        second.due = [.before: 50]
        second.errors = 3
        let third = InstanceRow(service: "orders", instance: "orders-1", state: .serving)
        return DrillSnapshot(
            elapsed: .milliseconds(12_340), phase: .during, calls: 110, failed: failed, retries: 4, resumed: 2,
            rows: [first, second, third])
    }

    /// 50 picks of each of two instances.
    var fair: PickTally {
        var tally = PickTally()
        for index in 0..<100 { tally.record(index.isMultiple(of: 2) ? "a" : "b", among: ["a", "b"]) }
        return tally
    }

    @Test func `the table shows each instance's part of the present phase`() {
        #expect(
            LiveTable.lines(snapshot()) == [
                "service  instance  state    calls    share  mean 1/n  errors     p50     p99",
                "users    users-1   serving     85  100.0 %   100.0 %       0  2.0 ms  2.0 ms",
                "users    users-2   killed      25    0.0 %     0.0 %       3       -       -",
                "orders   orders-1  serving      0        -         -       0       -       -",
                "12.3 s during: 110 calls, 0 failed",
            ])
    }

    @Test func `a terminal gets the table in its old place`() {
        var table = LiveTable(isTerminal: true)
        let first = table.draw(snapshot())
        #expect(!first.contains("\u{1B}"))
        #expect(table.draw(snapshot()) == "\u{1B}[5A\r\u{1B}[J" + first)
    }

    @Test func `a note on a terminal stands above the table`() {
        var table = LiveTable(isTerminal: true)
        #expect(table.note("begin") == "begin\n")
        let first = table.draw(snapshot())
        #expect(table.note("killed users-2") == "\u{1B}[5A\r\u{1B}[Jkilled users-2\n")
        #expect(table.draw(snapshot()) == first)
    }

    @Test func `a pipe gets a plain line each time`() {
        var table = LiveTable(isTerminal: false)
        let line = "12.3 s during: 110 calls, 0 failed | users-1 100.0 %, users-2 0.0 %, orders-1 -\n"
        #expect(table.draw(snapshot()) == line)
        #expect(table.note("killed users-2") == "killed users-2\n")
        #expect(table.draw(snapshot()) == line)
    }

    @Test func `a good verdict shows shares by phase and passes`() {
        let verdict = Verdict(snapshot: snapshot(), picks: ["users": fair], wrongEffects: [])
        #expect(verdict.passed)
        #expect(
            verdict.lines == [
                "service  instance  before     due   during      due  after  due  calls  errors",
                "users    users-1   75.0 %  50.0 %  100.0 %  100.0 %      -    -     85       0",
                "users    users-2   25.0 %  50.0 %    0.0 %    0.0 %      -    -     25       3",
                "orders   orders-1       -       -        -        -      -    -      0       0",
                "(due: the mean of 1/n over the n instances that each first try had to choose from)",
                "",
                "calls made:                110",
                "calls failed:              0",
                "tries repeated:            4",
                "streams cut and continued: 2",
                "done twice, lost or wrong: 0",
                "users: chi-square 0.00 with 1 degrees of freedom over 100 first picks, p = 1",
                "PASSED",
            ])
    }

    @Test func `a failed call fails the drill`() {
        let verdict = Verdict(snapshot: snapshot(failed: 1), picks: ["users": fair], wrongEffects: [])
        #expect(verdict.faults == ["1 of 110 calls failed"])
        #expect(verdict.lines.suffix(2) == ["fault: 1 of 110 calls failed", "FAILED"])
    }

    @Test func `an effect that happened twice fails the drill`() {
        let verdict = Verdict(snapshot: snapshot(), picks: ["users": fair], wrongEffects: ["order x placed twice"])
        #expect(verdict.faults == ["order x placed twice"])
    }

    @Test func `shares that are not chance fail the drill`() {
        var tally = PickTally()
        for _ in 0..<100 { tally.record("a", among: ["a", "b"]) }
        let verdict = Verdict(snapshot: snapshot(), picks: ["users": tally], wrongEffects: [])
        #expect(verdict.faults == ["users: its shares are not chance (p = 1.5e-23)"])
    }

    @Test func `a drill that tested nothing fails`() {
        var empty = snapshot()
        empty.calls = 0
        let verdict = Verdict(snapshot: empty, picks: ["users": PickTally()], wrongEffects: [])
        #expect(verdict.faults == ["no calls were made", "users: too few picks to judge their shares"])
    }

    @Test func `a pick of an unknown instance fails the drill`() {
        var tally = fair
        tally.record("z", among: ["a", "b"])
        let verdict = Verdict(snapshot: snapshot(), picks: ["users": tally], wrongEffects: [])
        #expect(verdict.faults == ["users: 1 picks of an instance that was not known"])
    }
}
