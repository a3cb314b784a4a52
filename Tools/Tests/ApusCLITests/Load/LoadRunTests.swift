// SPDX-License-Identifier: Apache-2.0

import Apus
import LoadFigures
import Synchronization
import Testing

@testable import ApusCLI

/// Calls that take the time that a test says, on its clock.
private final class ScriptedTarget: LoadTarget {
    private let clock: SteppingClock
    private let time: @Sendable (Int) -> Duration
    private let error: @Sendable (Int) -> RPCError?
    let starts = Mutex<[Duration]>([])

    init(
        _ clock: SteppingClock, time: @escaping @Sendable (Int) -> Duration,
        error: @escaping @Sendable (Int) -> RPCError? = { _ in nil }
    ) {
        (self.clock, self.time, self.error) = (clock, time, error)
    }

    func executor(ofLane lane: Int) -> (any TaskExecutor)? { nil }

    func call(_ number: Int, lane: Int) async throws(RPCError) {
        let now = MonotonicInstant(nanoseconds: 0).duration(to: clock.now)
        starts.withLock { $0.append(now) }
        clock.advance(by: time(number))
        if let error = error(number) { throw error }
    }
}

struct LoadRunTests {
    private let clock = SteppingClock()

    private func plan(
        lanes: Int = 1, rate: Double? = nil, ramp: Duration = .zero, warmUp: Duration = .zero, _ duration: Duration
    ) -> LoadPlan {
        LoadPlan(lanes: lanes, rate: rate, ramp: ramp, warmUp: warmUp, duration: duration)
    }

    @Test func `calls of an open loop are sent when they are due, and no others`() async {
        let target = ScriptedTarget(clock) { _ in .milliseconds(1) }
        let tally = await LoadRun(plan: plan(rate: 10, .seconds(1)), calls: target, clock: clock).run()
        #expect(target.starts.withLock { $0 } == (0..<10).map { .milliseconds($0 * 100) })
        #expect(tally.calls == 10)
        #expect(tally.latency.maximum == .milliseconds(1))
        #expect(tally.late == 0)
    }

    @Test func `a stall is charged for all calls that it held up`() async {
        let target = ScriptedTarget(clock) { $0 == 0 ? .milliseconds(500) : .zero }
        let tally = await LoadRun(plan: plan(rate: 10, .seconds(1)), calls: target, clock: clock).run()
        // 500 ms for the first, then 400, 300, 200 and 100 for those that waited behind it.
        #expect(tally.calls == 10)
        #expect(tally.latency.mean == .milliseconds(150))
        #expect(tally.service.mean == .milliseconds(50))
        #expect(tally.late == 4)
    }

    @Test func `a closed loop waits for each call before the next one`() async {
        let target = ScriptedTarget(clock) { _ in .milliseconds(250) }
        let tally = await LoadRun(plan: plan(.seconds(1)), calls: target, clock: clock).run()
        #expect(target.starts.withLock { $0 } == (0..<4).map { .milliseconds($0 * 250) })
        #expect(tally.latency.mean == .milliseconds(250))
    }

    @Test func `calls that were due in the warm-up do not count`() async {
        let target = ScriptedTarget(clock) { _ in .milliseconds(1) }
        let plan = plan(rate: 10, warmUp: .seconds(1), .seconds(2))
        let tally = await LoadRun(plan: plan, calls: target, clock: clock).run()
        #expect(target.starts.withLock { $0.count } == 30)
        #expect(tally.calls == 20)
        #expect(tally.timeline.steps.map(\.latency.count).reduce(0, +) == 20)
    }

    @Test func `failures count by their status, and the run goes on`() async {
        let target = ScriptedTarget(clock) { _ in
            .milliseconds(1)
        } error: { number in
            number % 2 == 0 ? RPCError(.unavailable, "call \(number)\nfailed") : nil
        }
        let tally = await LoadRun(plan: plan(rate: 10, .seconds(1)), calls: target, clock: clock).run()
        #expect(tally.failures == ["UNAVAILABLE": 5])
        #expect(tally.examples == ["UNAVAILABLE": "UNAVAILABLE: call 0\\nfailed"])
        #expect(tally.latency.count == 5)
    }

    @Test func `a run that is stopped makes no more calls, and measured less`() async {
        let stopping = Mutex<LoadRun?>(nil)
        let target = ScriptedTarget(clock) { _ in
            .milliseconds(100)
        } error: { number in
            if number == 4 { stopping.withLock { $0?.stop() } }
            return nil
        }
        let run = LoadRun(plan: plan(.seconds(60)), calls: target, clock: clock)
        stopping.withLock { $0 = run }
        let tally = await run.run()
        #expect(tally.calls == 5)
        #expect(run.measured == .milliseconds(500))
    }

    @Test func `lanes share the calls of an open loop`() async {
        let target = ScriptedTarget(clock) { _ in .zero }
        let tally = await LoadRun(plan: plan(lanes: 8, rate: 100, .seconds(1)), calls: target, clock: clock).run()
        #expect(tally.calls == 100)
    }
}
