// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// A server's handlers in numbers, and where they run: what each call needs of its server. Safe from any thread.
///
/// An object of its own: counting references to the server, to which there are weak ones, takes several times as long.
final class HandlerCounts: Sendable {
    let executors: ServiceExecutors
    private let handlers = Atomic<Int>(0)
    private let calls = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    // Whether the server waits for the last of them.
    private let isStopping = Atomic<Bool>(false)

    init(_ router: Router) { executors = ServiceExecutors(router) }

    /// Handlers that run.
    var running: Int { handlers.load(ordering: .acquiring) }
    /// Handlers that were started.
    var started: Int { calls.load(ordering: .relaxed) }
    /// Handlers that were started and whose calls did not end with OK.
    var failed: Int { failures.load(ordering: .relaxed) }

    @inline(__always)
    func handlerStarted() {
        handlers.wrappingAdd(1, ordering: .relaxed)
        calls.wrappingAdd(1, ordering: .relaxed)
    }

    /// - Returns: whether it was the last one that a server waited for.
    @inline(__always)
    func handlerEnded(failed: Bool) -> Bool {
        if failed { failures.wrappingAdd(1, ordering: .relaxed) }
        let left = handlers.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
        return left == 0 && isStopping.load(ordering: .acquiring)
    }

    /// From now on somebody waits for the last one.
    func serverStops() { isStopping.store(true, ordering: .releasing) }
}
