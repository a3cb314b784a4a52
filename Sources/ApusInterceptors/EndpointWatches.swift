// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The streams by which a policy watches endpoints. Released or ended, it ends them: they do not keep it.
package final class EndpointWatches: Sendable {
    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var lastID: UInt64 = 0
        var hasEnded = false
    }

    private let state = Mutex(State())

    package init() {}

    deinit {
        for task in state.withLock({ $0.tasks.values }) { task.cancel() }
    }

    /// How many watches run.
    package var count: Int { state.withLock { $0.tasks.count } }

    /// Begins a watch, which is cancelled when it is to end. Once all have ended, none begins.
    package func add(_ watch: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            state.lastID += 1
            let id = state.lastID
            // Detached: a server's call, in which this may be, ends before it. It cannot end before it is kept here.
            state.tasks[id] = Task.detached { [weak self] in
                await watch()
                self?.ended(id)
            }
        }
    }

    /// Ends all watches, for good.
    package func end() {
        let tasks = state.withLock { state in
            state.hasEnded = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }

    private func ended(_ id: UInt64) { _ = state.withLock { $0.tasks.removeValue(forKey: id) } }
}
