// SPDX-License-Identifier: Apache-2.0

package import ApusCore
package import ApusHTTP2
import CLibuv
import Synchronization

/// An event loop on libuv, with a thread of its own that lives as long as the process.
///
/// A turn: libuv reports sockets and timers, then ``turn()`` runs the jobs that became runnable and lets every
/// touched connection write once. Sendable: what is not behind the mutex is touched on the loop's thread alone.
package final class UVLoop: EventLoop, @unchecked Sendable {
    /// The handle that sockets belong to; loop only.
    let handle: UnsafeMutablePointer<uv_loop_t>
    private let wakeup: UnsafeMutablePointer<uv_async_t>
    private let clock = SystemClock()
    private let inbox = Mutex(Inbox())

    // Loop only.
    @exclusivity(unchecked) private var turnBegan: MonotonicInstant
    // Whether the loop may have waited since then.
    @exclusivity(unchecked) private var hasWaited = false
    package let workers = LoopWorkers()
    package let output = OutputBuffer()
    package private(set) lazy var tlsScratch = TLSScratch()
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 64)
    private(set) lazy var memory = MemoryReturn(self)
    private let pool = PooledMemory()
    package var sessionMemory: HTTP2Memory? { pool }
    private let prepare: UnsafeMutablePointer<uv_prepare_t>
    private let check: UnsafeMutablePointer<uv_check_t>
    private let idle: UnsafeMutablePointer<uv_idle_t>
    private let timer: UnsafeMutablePointer<uv_timer_t>
    /// Counts up; a new number means that every socket had its turn.
    private(set) var turnNumber = 1
    /// Sockets of closed connections whose peers broke the rules.
    var offenders = 0
    private var armed: MonotonicInstant?
    // Unchecked: one thread, and no method of these calls back. The checks cost 5 % of a call.
    @exclusivity(unchecked) private var timers = TimerQueue()
    @exclusivity(unchecked) private var jobs = Deque<UnownedJob>()
    @exclusivity(unchecked) private var flushers: [any TurnFlusher] = []

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var actions: [@Sendable () -> Void] = []
        // Whether the loop may be waiting: then the first who posts wakes it up.
        var asleep = false
        var isEmpty: Bool { jobs.isEmpty && actions.isEmpty }
    }

    // A turn that goes on and on would starve sockets: what is left waits for the next one.
    private static let jobsPerTurn = 4096

    /// Starts a loop and its thread.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when the system has no descriptors or threads left.
    package init() throws(RPCError) {
        handle = .allocate(capacity: 1)
        wakeup = .allocate(capacity: 1)
        prepare = .allocate(capacity: 1)
        check = .allocate(capacity: 1)
        idle = .allocate(capacity: 1)
        timer = .allocate(capacity: 1)
        turnBegan = clock.now
        _ = MemoryReturn.keepsLargeBlocks
        try UVError.check(uv_loop_init(handle), "cannot make an event loop")
        // passUnretained: the loop's thread holds a retain for ever (see `start`).
        let context = Unmanaged.passUnretained(self).toOpaque()
        try UVError.check(uv_async_init(handle, wakeup, { _ in }), "cannot make an event loop's wake-up")
        uv_prepare_init(handle, prepare)
        uv_check_init(handle, check)
        uv_idle_init(handle, idle)
        uv_timer_init(handle, timer)
        prepare.pointee.data = context
        check.pointee.data = context
        timer.pointee.data = context
        uv_prepare_start(prepare, uvPrepare)
        uv_check_start(check, uvCheck)
        try start()
    }

    private func start() throws(RPCError) {
        var thread = uv_thread_t()
        // Retained for ever: loops outlive every task and connection on them.
        let context = Unmanaged.passRetained(self)
        let result = uv_thread_create(&thread, uvThread, context.toOpaque())
        if result != 0 { context.release() }
        try UVError.check(result, "cannot start an event loop's thread")
        ProcessExit.started(self)
    }

    fileprivate func main() {
        SystemCalls.blockSIGPIPE()
        CurrentLoop.set(self)
        uv_run(handle, UV_RUN_DEFAULT)
    }

    /// The loop whose thread is calling, if any.
    package static var current: UVLoop? { CurrentLoop.object as? UVLoop }

    package var isCurrent: Bool { CurrentLoop.isCurrent(self) }

    /// Gives up memory that waits for sessions and calls.
    func trimMemory() {
        pool.trim()
        workers.dismissIdle()
    }

    // MARK: Work

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent { return jobs.append(job) }
        post { $0.jobs.append(job) }
    }

    package func execute(_ action: @escaping @Sendable () -> Void) {
        post { $0.actions.append(action) }
    }

    private func post(_ change: (inout Inbox) -> Void) {
        let wake = inbox.withLock { inbox in
            change(&inbox)
            defer { inbox.asleep = false }
            return inbox.asleep
        }
        if wake { uv_async_send(wakeup) }
    }

    package func schedule(_ entry: any TimerEntry, at deadline: MonotonicInstant) { timers.insert(entry, at: deadline) }

    package func cancel(_ entry: any TimerEntry) {
        if entry.timer.isScheduled { timers.remove(entry) }
    }

    package func flushAtEndOfTurn(_ flusher: any TurnFlusher) { flushers.append(flusher) }

    // MARK: The turn

    // Sockets call back before anything else tells that libuv has waited: who asks first looks at the clock.
    package var now: MonotonicInstant {
        if hasWaited {
            hasWaited = false
            turnBegan = clock.now
        }
        return turnBegan
    }

    // After libuv waited, and sockets have called back.
    fileprivate func wokeUp() {
        _ = now
        inbox.withLock { $0.asleep = false }
    }

    // Before libuv waits: everything that became runnable runs, then everything touched is written.
    fileprivate func turn() {
        turnNumber &+= 1
        var budget = Self.jobsPerTurn
        repeat {
            fireTimers()
            takeInbox(&budget)
            runJobs(&budget)
            flush()
        } while budget > 0 && !fallAsleep()
        if budget <= 0 { uv_idle_start(idle, { _ in }) } else { uv_idle_stop(idle) }
        arm()
        hasWaited = true
    }

    /// Does in the middle of a turn what became runnable in it. Not from a running task.
    func settle() {
        var budget = Self.jobsPerTurn
        runJobs(&budget)
        flush()
    }

    private func takeInbox(_ budget: inout Int) {
        let (newJobs, actions) = inbox.withLock { inbox in
            defer {
                inbox.jobs.removeAll(keepingCapacity: inbox.jobs.capacity <= 1024)
                inbox.actions.removeAll(keepingCapacity: inbox.actions.capacity <= 1024)
            }
            return (inbox.jobs, inbox.actions)
        }
        for job in newJobs { jobs.append(job) }
        for action in actions { action() }
        budget -= actions.count
    }

    // Jobs run from here, which is plain code: draining them inside a running task crashes the runtime.
    private func runJobs(_ budget: inout Int) {
        let executor = asUnownedTaskExecutor()
        while budget > 0 {
            // Behind what is runnable already, however long that goes on.
            if workers.needsWorker { workers.send(on: self) }
            guard let job = jobs.popFirst() else { return }
            job.runSynchronously(on: executor)
            budget -= 1
        }
    }

    private func flush() {
        while !flushers.isEmpty {
            let batch = flushers
            flushers.removeAll(keepingCapacity: true)
            for flusher in batch { flusher.flush() }
        }
    }

    // True when there is nothing left to do: from then on, posting wakes the loop up.
    private func fallAsleep() -> Bool {
        guard jobs.isEmpty, flushers.isEmpty, !workers.needsWorker else { return false }
        return inbox.withLock { inbox in
            inbox.asleep = inbox.isEmpty
            return inbox.asleep
        }
    }

    private func fireTimers() {
        while let entry = timers.popExpired(now) { entry.timerFired() }
    }

    private func arm() {
        guard armed != timers.next else { return }
        armed = timers.next
        guard let armed else {
            uv_timer_stop(timer)
            return
        }
        // Rounded up: a timer that fires early would only be armed again. The loop's own time may lag behind.
        uv_update_time(handle)
        let left = max(0, clock.now.duration(to: armed).saturatedNanoseconds)
        let milliseconds = left / 1_000_000 + 1
        uv_timer_start(timer, uvTimer, UInt64(milliseconds), 0)
    }

    fileprivate func timerFired() { armed = nil }
}

private func uvThread(_ context: UnsafeMutableRawPointer?) {
    context.map { Unmanaged<UVLoop>.fromOpaque($0).takeUnretainedValue() }?.main()
}

private func uvPrepare(_ handle: UnsafeMutablePointer<uv_prepare_t>?) {
    loop(handle?.pointee.data)?.turn()
}

private func uvCheck(_ handle: UnsafeMutablePointer<uv_check_t>?) {
    loop(handle?.pointee.data)?.wokeUp()
}

private func uvTimer(_ handle: UnsafeMutablePointer<uv_timer_t>?) {
    loop(handle?.pointee.data)?.timerFired()
}

// Valid: loops are never freed once their thread runs.
private func loop(_ context: UnsafeMutableRawPointer?) -> UVLoop? {
    context.map { Unmanaged<UVLoop>.fromOpaque($0).takeUnretainedValue() }
}
