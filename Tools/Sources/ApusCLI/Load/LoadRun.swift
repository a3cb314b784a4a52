// SPDX-License-Identifier: Apache-2.0

import Apus
import LoadFigures
import Synchronization

/// Makes one call.
protocol LoadTarget: Sendable {
    /// The executor of a lane's calls; nil for Swift's own pool.
    func executor(ofLane lane: Int) -> (any TaskExecutor)?
    /// Makes a call to its end. Numbers count from 0.
    func call(_ number: Int, lane: Int) async throws(RPCError)
}

/// Lanes that make calls until the plan's end: one after the other in a closed loop, in an open one each at the moment
/// at which it is due.
final class LoadRun: Sendable {
    let plan: LoadPlan
    private let target: any LoadTarget
    private let clock: any MonotonicClock
    private let next = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    // One for some lanes: whoever looks at the progress holds up few of them.
    private let tallies: [Tally]
    private let times = Mutex<(start: MonotonicInstant?, stopped: MonotonicInstant?)>((nil, nil))

    private final class Tally: Sendable {
        let value = Mutex(LoadTally())
    }

    init(plan: LoadPlan, calls target: any LoadTarget, clock: any MonotonicClock) {
        self.plan = plan
        self.target = target
        self.clock = clock
        tallies = (0..<min(plan.lanes, 16)).map { _ in Tally() }
    }

    /// Calls that have ended by now, as far as they are measured.
    var tally: LoadTally {
        tallies.reduce(into: LoadTally()) { sum, tally in sum.merge(tally.value.withLock { $0 }) }
    }

    /// The time since the start.
    var elapsed: Duration { times.withLock { $0.start?.duration(to: clock.now) } ?? .zero }

    /// The time that was measured: less than planned when the run was stopped.
    var measured: Duration {
        let times = times.withLock { $0 }
        guard let start = times.start, let stopped = times.stopped else { return plan.duration }
        return min(max(start.duration(to: stopped) - plan.warmUp, .zero), plan.duration)
    }

    /// Ends the run: calls under way are the last ones.
    func stop() {
        times.withLock { $0.stopped = $0.stopped ?? clock.now }
        isStopped.store(true, ordering: .relaxed)
    }

    /// Runs to the end.
    func run() async -> LoadTally {
        let start = clock.now
        times.withLock { $0.start = start }
        await withDiscardingTaskGroup { group in
            for lane in 0..<plan.lanes {
                group.addTask(executorPreference: target.executor(ofLane: lane)) { await self.lane(lane, start) }
            }
        }
        return tally
    }

    private func lane(_ lane: Int, _ start: MonotonicInstant) async {
        if plan.rate == nil {
            let begin = ArrivalSchedule.start(ofLane: lane, of: plan.lanes, ramp: plan.ramp)
            await sleep(until: min(begin, plan.end), start)
        }
        let schedule = plan.schedule
        while !isStopped.load(ordering: .relaxed) {
            let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
            let due = schedule?.due(number) ?? start.duration(to: clock.now)
            guard due < plan.end else { return }
            await sleep(until: due, start)
            guard !isStopped.load(ordering: .relaxed) else { return }
            // A call may fail without ever waiting: its event loop has timers to fire, and other lanes to serve.
            if await !call(number, lane, due: due, start) { await Task.yield() }
        }
    }

    // In short pieces: a run that is stopped does not wait for calls that are due much later.
    private func sleep(until moment: Duration, _ start: MonotonicInstant) async {
        let goal = start.advanced(by: moment)
        while case let now = clock.now, now < goal, !isStopped.load(ordering: .relaxed) {
            let wake = min(goal, now.advanced(by: .milliseconds(200)))
            guard (try? await clock.sleep(until: wake)) != nil else { return }
        }
    }

    /// - Returns: whether it ended well.
    private func call(_ number: Int, _ lane: Int, due: Duration, _ start: MonotonicInstant) async -> Bool {
        let sent = start.duration(to: clock.now)
        var failure: (status: String, text: String)?
        do throws(RPCError) {
            try await target.call(number, lane: lane)
        } catch {
            failure = (error.code.name, Screen.harmless("\(error)"))
        }
        let ended = start.duration(to: clock.now)
        guard due >= plan.warmUp else { return failure == nil }
        let warmUp = plan.warmUp
        tallies[lane % tallies.count].value.withLock {
            $0.record(due: due - warmUp, sent: sent - warmUp, ended: ended - warmUp, failure: failure)
        }
        return failure == nil
    }
}
