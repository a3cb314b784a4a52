// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusTransport

/// An event loop that runs only when its test says so, on a clock that stands still.
///
/// Sendable: used by one test's task alone.
final class ManualLoop: EventLoop, @unchecked Sendable {
    private(set) var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    let workers = LoopWorkers()
    let output = OutputBuffer()
    let tlsScratch = TLSScratch()
    private var timers = TimerQueue()
    private var actions: [@Sendable () -> Void] = []
    private var flushers: [any TurnFlusher] = []

    var isCurrent: Bool { true }
    var timerCount: Int { timers.count }

    func enqueue(_ job: consuming ExecutorJob) { UnownedJob(job).runSynchronously(on: asUnownedTaskExecutor()) }
    func execute(_ action: @escaping @Sendable () -> Void) { actions.append(action) }
    func schedule(_ entry: any TimerEntry, at deadline: MonotonicInstant) { timers.insert(entry, at: deadline) }
    func cancel(_ entry: any TimerEntry) { timers.remove(entry) }
    func flushAtEndOfTurn(_ flusher: any TurnFlusher) { flushers.append(flusher) }

    /// Runs what was posted and touched, until nothing is left.
    func turn() {
        while !actions.isEmpty || !flushers.isEmpty {
            let (actions, flushers) = (actions, flushers)
            self.actions = []
            self.flushers = []
            for action in actions { action() }
            for flusher in flushers { flusher.flush() }
        }
    }

    /// Turns the clock and fires what is due.
    func advance(by duration: Duration) {
        now = now.advanced(by: duration)
        while let entry = timers.popExpired(now) { entry.timerFired() }
        turn()
    }
}
