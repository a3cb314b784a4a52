// SPDX-License-Identifier: Apache-2.0

import CLibuv
import Synchronization

/// A result for which a thread parks: set once by another thread.
final class Parked<Value: Sendable>: @unchecked Sendable {
    // C's semaphore, which any thread may use, in memory of its own.
    private let semaphore = UnsafeMutablePointer<uv_sem_t>.allocate(capacity: 1)
    private let value = Mutex<Value?>(nil)

    init() { uv_sem_init(semaphore, 0) }

    deinit {
        uv_sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func set(_ value: Value) {
        self.value.withLock { $0 = value }
        uv_sem_post(semaphore)
    }

    func wait() -> Value {
        while true {
            uv_sem_wait(semaphore)
            if let value = value.withLock({ $0 }) { return value }
        }
    }
}

extension UVLoop {
    /// Runs plain code on the loop and parks the calling thread until it is done; at once on the loop itself.
    func perform<R: Sendable>(_ body: @escaping @Sendable () -> R) -> R {
        if isCurrent { return body() }
        let result = Parked<R>()
        execute { result.set(body()) }
        return result.wait()
    }
}
