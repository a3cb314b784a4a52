// SPDX-License-Identifier: Apache-2.0

package import ApusCore
package import ApusHTTP2

/// An event loop of a ``Simulation``: no thread and no sockets, virtual time, and seeded chance decides what runs next.
///
/// As on a real loop, posted actions run in order, and what was touched is flushed at the end of a turn. How much a
/// turn takes on, and which of the waiting jobs comes next, is left to chance: code may rely on neither.
///
/// Sendable: a simulation and all that belongs to it is used by one thread.
package final class SimulatedLoop: EventLoop, @unchecked Sendable {
    package private(set) var now: MonotonicInstant
    package let workers = LoopWorkers()
    package let output = OutputBuffer()
    package private(set) lazy var tlsScratch = TLSScratch()
    package let random: any RandomSource
    package var sessionMemory: HTTP2Memory?
    private let order: any RandomSource
    private var timers = TimerQueue()
    private var jobs: [UnownedJob] = []
    private var actions = Deque<@Sendable () -> Void>()
    private var flushers: [any TurnFlusher] = []

    // What a turn takes on at most; real loops take all that waits, or what came in the meantime too.
    private static let stepsPerTurn = 8

    /// - Parameters:
    ///   - random: chance for what runs on the loop.
    ///   - order: chance for the order in which it runs.
    init(at now: MonotonicInstant, random: any RandomSource, order: any RandomSource) {
        self.now = now
        self.random = random
        self.order = order
    }

    package var isCurrent: Bool { CurrentLoop.isCurrent(self) }

    package func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }
    package func execute(_ action: @escaping @Sendable () -> Void) { actions.append(action) }

    package func schedule(_ entry: any TimerEntry, at deadline: MonotonicInstant) { timers.insert(entry, at: deadline) }

    package func cancel(_ entry: any TimerEntry) {
        if entry.timer.isScheduled { timers.remove(entry) }
    }

    package func flushAtEndOfTurn(_ flusher: any TurnFlusher) { flushers.append(flusher) }

    // MARK: For the simulation

    /// Timers that have not fired.
    package var timerCount: Int { timers.count }
    /// When the next timer fires.
    var nextTimer: MonotonicInstant? { timers.next }
    /// Whether a timer fires at `moment`.
    func isDue(_ moment: MonotonicInstant) -> Bool { timers.next.map { $0 <= moment } ?? false }
    /// Whether there is something to run that is not a timer.
    var hasWork: Bool { !jobs.isEmpty || !actions.isEmpty || !flushers.isEmpty || workers.needsWorker }

    /// Fires what is due at `moment`, runs some of what waits, and flushes.
    func turn(at moment: MonotonicInstant) {
        CurrentLoop.set(self)
        defer { CurrentLoop.set(nil) }
        now = moment
        while let entry = timers.popExpired(now) { entry.timerFired() }
        var steps = 1 + order.index(below: Self.stepsPerTurn)
        while steps > 0, runOne() { steps -= 1 }
        flush()
    }

    // Which comes first, an action or a job, is chance: they come from threads that know nothing of each other.
    private func runOne() -> Bool {
        if workers.needsWorker { workers.send(on: self) }
        let choice = order.index(below: jobs.count + (actions.isEmpty ? 0 : 1))
        if choice < jobs.count {
            jobs.remove(at: choice).runSynchronously(on: asUnownedTaskExecutor())
            return true
        }
        guard let action = actions.popFirst() else { return false }
        action()
        return true
    }

    /// Ends the tasks that wait for work, which nobody will have for them.
    func dismissWorkers() {
        workers.dismissIdle()
        while let job = jobs.popLast() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func flush() {
        while !flushers.isEmpty {
            let batch = flushers
            flushers.removeAll(keepingCapacity: true)
            for flusher in batch { flusher.flush() }
        }
    }
}
