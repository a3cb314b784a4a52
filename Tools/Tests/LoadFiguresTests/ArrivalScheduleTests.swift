// SPDX-License-Identifier: Apache-2.0

import LoadFigures
import Testing

struct ArrivalScheduleTests {
    @Test func `calls are due at even distances`() {
        let schedule = ArrivalSchedule(rate: 200)
        #expect((0..<4).map { schedule.due($0) } == [.zero, .milliseconds(5), .milliseconds(10), .milliseconds(15)])
        #expect(schedule.due(2000) == .seconds(10))
    }

    @Test func `in a ramp of ten seconds half as many calls are due as at the full rate`() {
        let schedule = ArrivalSchedule(rate: 100, ramp: .seconds(10))
        #expect(schedule.due(0) == .zero)
        #expect(schedule.due(500) == .seconds(10))
        #expect(schedule.due(501) == .seconds(10.01))
        // A quarter of them in the first half.
        #expect(schedule.due(125) == .seconds(5))
    }

    @Test(arguments: [Duration.zero, .seconds(3)])
    func `a later call is never due earlier`(ramp: Duration) {
        let schedule = ArrivalSchedule(rate: 333, ramp: ramp)
        let moments = (0..<3000).map { schedule.due($0) }
        #expect(zip(moments, moments.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test(arguments: [Duration.zero, .seconds(2)])
    func `as many calls are due by a moment as have their moments up to it`(ramp: Duration) {
        let schedule = ArrivalSchedule(rate: 50, ramp: ramp)
        for tenth in stride(from: 1, through: 60, by: 7) {
            let moment = Duration.milliseconds(tenth * 100 + 3)
            let due = (0..<1000).prefix { schedule.due($0) <= moment }.count
            #expect(schedule.count(by: moment) == due, "at \(moment)")
        }
        #expect(schedule.count(by: .seconds(-1)) == 0)
    }

    @Test func `lanes of a closed loop begin one after the other`() {
        let starts = (0..<4).map { ArrivalSchedule.start(ofLane: $0, of: 4, ramp: .seconds(8)) }
        #expect(starts == [.zero, .seconds(2), .seconds(4), .seconds(6)])
        #expect(ArrivalSchedule.start(ofLane: 0, of: 1, ramp: .seconds(8)) == .zero)
    }

    @Test func `rates and numbers without sense trap nowhere`() {
        #expect(ArrivalSchedule(rate: -3).due(1) == .seconds(86_400))
        #expect(ArrivalSchedule(rate: 1e-9).due(.max) == .seconds(1e9))
        #expect(ArrivalSchedule(rate: 10).due(-5) == .zero)
        #expect(ArrivalSchedule(rate: 1e9).count(by: .seconds(1 << 40)) == 1_000_000_000_000_001)
    }
}
