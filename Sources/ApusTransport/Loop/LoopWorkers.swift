// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Something asynchronous to do on a loop, in a task that was there before and stays: the handler of a call.
package protocol LoopWork: AnyObject, Sendable {
    /// Does it. Called on the loop, in the worker's task.
    ///
    /// Concurrent, as is all that leads from the task to a handler: the task prefers its loop, so nothing moves, and the
    /// compiler leaves out most of the looks at the executor that a caller's isolation would need, a lock each.
    @concurrent func run(in worker: LoopWorker) async
}

/// The tasks of a loop that do ``LoopWork``, one piece after the other: making a task for each would cost a tenth of a
/// call. Loop only.
///
/// A worker takes the next piece as soon as the one before is done. One that has to wait in the middle of a piece holds
/// no others up: the loop then sees that something still waits, and sends another worker.
package final class LoopWorkers {
    // Unchecked: one thread, and nothing is called while they change.
    @exclusivity(unchecked) private var waiting = Deque<any LoopWork>()
    @exclusivity(unchecked) private var idle: [LoopWorker] = []
    // Whether a worker is on its way.
    @exclusivity(unchecked) private var isSent = false

    // Tasks that are kept for what comes; each holds the memory of the deepest calls that it has seen.
    private static let maximumIdle = 64

    package init() {}

    /// Has `work` done in this turn, or in a later one.
    package func start(_ work: any LoopWork) { waiting.append(work) }

    /// Whether something waits and nobody is on the way: then the loop is to call ``send(on:)``.
    package var needsWorker: Bool { !isSent && !waiting.isEmpty }

    /// Sends a worker: its task is enqueued on the loop. Not from a running task, whose values it would take over.
    package func send(on loop: any EventLoop) {
        isSent = true
        if let worker = idle.popLast() { worker.resume() } else { LoopWorker(self).start(on: loop) }
    }

    /// Ends the tasks that have nothing to do. They need another turn of the loop to do so.
    package func dismissIdle() {
        let dismissed = idle
        idle = []
        for worker in dismissed { worker.dismiss() }
    }

    /// Tasks that have nothing to do.
    package var idleCount: Int { idle.count }

    fileprivate func arrived() { isSent = false }
    fileprivate func next() -> (any LoopWork)? { waiting.popFirst() }

    fileprivate func park(_ worker: LoopWorker) -> Bool {
        guard idle.count < Self.maximumIdle else { return false }
        idle.append(worker)
        return true
    }
}

/// A task that does one piece of work after the other.
///
/// Sendable: confined to its loop, which its task prefers and comes back to after each piece.
package final class LoopWorker: @unchecked Sendable {
    private let workers: LoopWorkers
    private var task: Task<Void, any Error>?
    private var parked: UnsafeContinuation<Void, Never>?
    // Nothing more is for it: its task is cancelled, or not wanted.
    private var isDone = false

    fileprivate init(_ workers: LoopWorkers) { self.workers = workers }

    fileprivate func start(on loop: any EventLoop) {
        // A task that may throw, though it never does: the runtime's are, and any other gets a thunk and its closure.
        task = Task<Void, any Error>(executorPreference: loop) { await self.work(on: loop) }
    }

    fileprivate func resume() {
        let parked = parked
        self.parked = nil
        parked?.resume()
    }

    fileprivate func dismiss() {
        isDone = true
        resume()
    }

    /// Cancels the piece of work that it is at; its task does no other. Loop only.
    package func cancel() {
        isDone = true
        task?.cancel()
    }

    @concurrent private func work(on loop: any EventLoop) async {
        workers.arrived()
        while !isDone {
            while let next = workers.next() {
                // A call's handler by its own type: then `run` is built into this function, and looks at the executor
                // between the two are gone.
                if type(of: next) == ServerStream.self {
                    await unsafeDowncast(next, to: ServerStream.self).run(in: self)
                } else {
                    await next.run(in: self)
                }
                // Never seen elsewhere, and then nothing here may be touched.
                guard loop.isCurrent, !isDone else { return }
            }
            guard workers.park(self) else { return }
            await withUnsafeContinuation { parked = $0 }
            guard !isDone else { return }
            workers.arrived()
        }
    }
}
