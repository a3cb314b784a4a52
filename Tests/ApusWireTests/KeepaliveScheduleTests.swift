// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

private func at(_ seconds: Double) -> MonotonicInstant { MonotonicInstant(nanoseconds: Int64(seconds * 1e9)) }

@Suite struct KeepaliveScheduleTests {
    private func schedule(withoutCalls: Bool = false) -> KeepaliveSchedule {
        KeepaliveSchedule(interval: .seconds(60), timeout: .seconds(20), withoutCalls: withoutCalls)
    }

    @Test func `a silent peer is asked after the interval and given up after the timeout`() {
        var schedule = schedule()
        #expect(schedule.next(at: at(0), lastInput: at(0), hasCalls: true) == .wait(until: at(60)))
        #expect(schedule.next(at: at(60), lastInput: at(0), hasCalls: true) == .ping(lookAgain: at(80)))
        #expect(schedule.next(at: at(79), lastInput: at(0), hasCalls: true) == .wait(until: at(80)))
        #expect(schedule.next(at: at(80), lastInput: at(0), hasCalls: true) == .giveUp)
    }

    @Test func `any bytes are an answer`() {
        var schedule = schedule()
        #expect(schedule.next(at: at(60), lastInput: at(0), hasCalls: true) == .ping(lookAgain: at(80)))
        #expect(schedule.next(at: at(80), lastInput: at(61), hasCalls: true) == .wait(until: at(121)))
        #expect(schedule.next(at: at(121), lastInput: at(61), hasCalls: true) == .ping(lookAgain: at(141)))
    }

    @Test func `without calls a peer is asked only when told so`() {
        var quiet = schedule()
        #expect(quiet.next(at: at(500), lastInput: at(0), hasCalls: false) == .wait(until: at(560)))
        #expect(quiet.next(at: at(560), lastInput: at(0), hasCalls: true) == .ping(lookAgain: at(580)))
        var told = schedule(withoutCalls: true)
        #expect(told.next(at: at(500), lastInput: at(0), hasCalls: false) == .ping(lookAgain: at(520)))
    }

    @Test func `a peer that was asked is given up although its calls have ended`() {
        var schedule = schedule()
        #expect(schedule.next(at: at(60), lastInput: at(0), hasCalls: true) == .ping(lookAgain: at(80)))
        #expect(schedule.next(at: at(80), lastInput: at(0), hasCalls: false) == .giveUp)
    }
}

@Suite struct PingStrikesTests {
    private func strikes(permits: Bool = false) -> PingStrikes {
        PingStrikes(minimum: .seconds(300), permitsWithoutCalls: permits)
    }

    @Test func `the third ping that comes too soon is one too many`() {
        var strikes = strikes()
        let answers = (0..<4).map { strikes.receivedPing(at: at(Double($0)), hasCalls: true, workSent: 0) }
        #expect(answers == [false, false, false, true])
    }

    @Test func `pings at the allowed interval are never too many`() {
        var strikes = strikes()
        for index in 0..<1000 {
            let isTooMany = strikes.receivedPing(at: at(Double(index) * 300), hasCalls: true, workSent: 0)
            #expect(!isTooMany)
        }
    }

    @Test func `an answer in between forgives everything`() {
        var strikes = strikes()
        for index in 0..<1000 {
            let isTooMany = strikes.receivedPing(at: at(Double(index)), hasCalls: true, workSent: index / 3)
            #expect(!isTooMany)
        }
    }

    @Test func `without calls two hours have to pass, unless permitted`() {
        var strict = strikes()
        let answers = (0..<4).map { strict.receivedPing(at: at(Double($0) * 7199), hasCalls: false, workSent: 0) }
        #expect(answers == [false, false, false, true])
        var patient = strikes()
        var lenient = strikes(permits: true)
        for index in 0..<100 {
            let strict = patient.receivedPing(at: at(Double(index) * 7200), hasCalls: false, workSent: 0)
            let permitted = lenient.receivedPing(at: at(Double(index) * 300), hasCalls: false, workSent: 0)
            #expect(!strict && !permitted)
        }
    }
}

@Suite struct ConnectionLifeTests {
    @Test func `without limits there is nothing to do`() {
        var life = ConnectionLife(.init(), from: at(0), unit: 0.5)
        #expect(life.next(at: at(1e6), hasCalls: false, lastCall: at(0)) == .rest)
    }

    @Test func `an idle connection is drained, once`() {
        var life = ConnectionLife(.init(idle: .seconds(30)), from: at(0), unit: 0.5)
        #expect(life.next(at: at(0), hasCalls: false, lastCall: at(0)) == .wait(until: at(30)))
        #expect(life.next(at: at(30), hasCalls: true, lastCall: at(1)) == .wait(until: at(60)))
        #expect(life.next(at: at(60), hasCalls: false, lastCall: at(45)) == .wait(until: at(75)))
        #expect(life.next(at: at(75), hasCalls: false, lastCall: at(45)) == .drain("the connection was idle"))
        #expect(life.next(at: at(75), hasCalls: false, lastCall: at(45)) == .rest)
    }

    @Test(arguments: [(0.0, 90.0), (0.5, 100), (1, 110)])
    func `an old connection is drained within a tenth of its age`(_ unit: Double, _ age: Double) {
        var life = ConnectionLife(.init(age: .seconds(100)), from: at(0), unit: unit)
        #expect(life.next(at: at(age - 0.001), hasCalls: true, lastCall: at(0)) == .wait(until: at(age)))
        #expect(life.next(at: at(age), hasCalls: true, lastCall: at(0)) == .drain("the connection is old"))
    }

    @Test func `calls of an old connection get the grace and no more`() {
        var life = ConnectionLife(.init(age: .seconds(100), ageGrace: .seconds(5)), from: at(0), unit: 0.5)
        #expect(life.next(at: at(100), hasCalls: true, lastCall: at(0)) == .drain("the connection is old"))
        #expect(life.next(at: at(100), hasCalls: true, lastCall: at(0)) == .wait(until: at(105)))
        let end = life.next(at: at(105), hasCalls: true, lastCall: at(0))
        #expect(end == .close("the connection's age grace is over"))
    }
}
