// SPDX-License-Identifier: Apache-2.0

import LoadFigures
import Testing

struct LoadTallyTests {
    @Test func `latency counts from the moment at which a call was due, service time from when it was sent`() {
        var tally = LoadTally()
        tally.record(due: .seconds(1), sent: .seconds(3), ended: .seconds(3.5))
        #expect(tally.latency.maximum == .seconds(2.5))
        #expect(tally.service.maximum == .seconds(0.5))
        #expect(tally.late == 1)
    }

    @Test func `failures count by status, keep their first example, and have no latency`() {
        var tally = LoadTally()
        for text in ["first", "second"] {
            tally.record(due: .zero, sent: .zero, ended: .seconds(1), failure: ("UNAVAILABLE", text))
        }
        tally.record(due: .zero, sent: .zero, ended: .seconds(1), failure: ("INTERNAL", "odd"))
        #expect(tally.failures == ["UNAVAILABLE": 2, "INTERNAL": 1])
        #expect(tally.examples == ["UNAVAILABLE": "first", "INTERNAL": "odd"])
        #expect((tally.calls, tally.failed, tally.latency.count) == (3, 3, 0))
    }

    @Test func `tallies of two lanes add up`() {
        var (one, two) = (LoadTally(), LoadTally())
        one.record(due: .zero, sent: .zero, ended: .seconds(1))
        one.record(due: .zero, sent: .zero, ended: .seconds(1), failure: ("INTERNAL", "odd"))
        two.record(due: .zero, sent: .seconds(1), ended: .seconds(2), failure: ("INTERNAL", "even"))
        one.merge(two)
        #expect((one.calls, one.failed, one.late) == (3, 2, 1))
        #expect(one.examples == ["INTERNAL": "odd"])
        #expect(one.timeline.steps.map(\.failures) == [2])
    }
}
