// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BenchLoad

@Suite struct TallyTests {
    @Test func `only what ends during the measurement counts`() {
        let phase = PhaseFlag(operations: nil)
        var tally = Tally(phase)
        tally.finish(since: nanoseconds(), operations: 1)
        #expect(tally.operations == 0 && tally.latency.total == 0)
        phase.begin(.measurement)
        tally.finish(since: nanoseconds(), operations: 1)
        tally.count(3)
        phase.begin(.over)
        tally.count(5)
        #expect(tally.operations == 4 && tally.latency.total == 1 && tally.isOver)
    }

    @Test func `an error counts at any time, and the first is kept`() {
        var tally = Tally(PhaseFlag(operations: nil))
        tally.fail(WrongReply("one"))
        tally.fail(WrongReply("two"))
        #expect(tally.errors == 2)
        #expect(tally.firstError == "wrong reply: one")
    }

    @Test func `a number of operations ends the run, over all lanes`() {
        let phase = PhaseFlag(operations: 5)
        var lanes = [Tally(phase), Tally(phase)]
        lanes[0].count(2)
        lanes[1].count(2)
        #expect(!lanes[0].isOver)
        lanes[1].count(1)
        #expect(lanes[0].isOver && lanes[0].operations + lanes[1].operations == 5)
    }

    @Test func `no two lanes send the same id`() {
        var ids = Set<Int64>()
        for lane in 0..<64 {
            var own = Ids(lane: lane)
            for _ in 0..<100 { ids.insert(own.next()) }
        }
        #expect(ids.count == 6400)
    }
}
