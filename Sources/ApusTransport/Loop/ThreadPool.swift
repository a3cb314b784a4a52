// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv
import Synchronization

/// Threads for handlers that block, started when they are first needed. They end when the pool is released and idle.
final class ThreadPool: TaskExecutor {
    /// What the threads share; it outlives the pool until they have ended.
    private final class Queue: @unchecked Sendable {
        // C's mutex and condition, in memory of their own; freed with the last reference.
        private let mutex = UnsafeMutablePointer<uv_mutex_t>.allocate(capacity: 1)
        private let condition = UnsafeMutablePointer<uv_cond_t>.allocate(capacity: 1)
        // Behind the mutex.
        private var jobs = Deque<UnownedJob>()
        private var idle = 0
        private var threads = 0
        private var isClosed = false
        private let limit: Int

        init(limit: Int) {
            self.limit = limit
            uv_mutex_init(mutex)
            uv_cond_init(condition)
        }

        deinit {
            uv_cond_destroy(condition)
            uv_mutex_destroy(mutex)
            condition.deallocate()
            mutex.deallocate()
        }

        /// Returns whether another thread should be started.
        func push(_ job: UnownedJob) -> Bool {
            uv_mutex_lock(mutex)
            defer { uv_mutex_unlock(mutex) }
            jobs.append(job)
            if idle >= jobs.count || threads >= limit {
                uv_cond_signal(condition)
                return false
            }
            threads += 1
            return true
        }

        func threadDidNotStart() {
            uv_mutex_lock(mutex)
            threads -= 1
            uv_mutex_unlock(mutex)
        }

        /// The next job; nil when the pool is gone.
        func pop() -> UnownedJob? {
            uv_mutex_lock(mutex)
            defer { uv_mutex_unlock(mutex) }
            while jobs.isEmpty, !isClosed {
                idle += 1
                uv_cond_wait(condition, mutex)
                idle -= 1
            }
            return jobs.popFirst()
        }

        func close() {
            uv_mutex_lock(mutex)
            isClosed = true
            uv_cond_broadcast(condition)
            uv_mutex_unlock(mutex)
        }
    }

    /// What a thread needs while it runs.
    fileprivate final class Worker {
        private let queue: Queue
        private let executor: UnownedTaskExecutor

        // Unowned: a job on the queue belongs to a task, and a task retains its executor until it has ended.
        init(_ pool: ThreadPool) {
            queue = pool.queue
            executor = pool.asUnownedTaskExecutor()
        }

        func run() {
            while let job = queue.pop() { job.runSynchronously(on: executor) }
        }
    }

    private let queue: Queue

    init(threads: Int) { queue = Queue(limit: threads) }

    deinit { queue.close() }

    func enqueue(_ job: consuming ExecutorJob) {
        if queue.push(UnownedJob(job)) { startThread() }
    }

    private func startThread() {
        var thread = uv_thread_t()
        let worker = Unmanaged.passRetained(Worker(self))
        guard uv_thread_create(&thread, uvWorker, worker.toOpaque()) != 0 else { return }
        // No thread to be had: those that run take the job, the next push tries again.
        worker.release()
        queue.threadDidNotStart()
    }
}

private func uvWorker(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    // Retained by `startThread` for this function.
    let worker = Unmanaged<ThreadPool.Worker>.fromOpaque(context).takeRetainedValue()
    // Nobody joins it: its stack is to go when it ends.
    pthread_detach(pthread_self())
    worker.run()
}
