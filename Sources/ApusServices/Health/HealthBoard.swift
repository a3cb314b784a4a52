// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The states of all services, with those who watch them. Safe from any thread.
final class HealthBoard: Sendable {
    /// A watch of one service: its states, of which only the newest waits.
    struct Watch: Sendable {
        /// nil while nobody knows the service. Ends with the board.
        let states: AsyncStream<Health.State?>
        fileprivate let id: UInt64
    }

    private struct Watcher {
        let service: String
        let continuation: AsyncStream<Health.State?>.Continuation
    }

    private struct Entries {
        var states: [String: Health.State] = ["": .serving]
        var watchers: [UInt64: Watcher] = [:]
        var lastID: UInt64 = 0
        var hasStopped = false

        // Under the lock, so that two changes reach a watcher in their order.
        func tell(_ service: String) {
            for watcher in watchers.values where watcher.service == service {
                watcher.continuation.yield(states[service])
            }
        }
    }

    private let entries = Mutex(Entries())

    var states: [String: Health.State] { entries.withLock { $0.states } }

    func state(of service: String) -> Health.State? { entries.withLock { $0.states[service] } }

    func set(_ service: String, _ state: Health.State) {
        entries.withLock { entries in
            guard !entries.hasStopped, entries.states[service] != state else { return }
            entries.states[service] = state
            entries.tell(service)
        }
    }

    func stop() {
        entries.withLock { entries in
            entries.hasStopped = true
            for service in entries.states.keys {
                entries.states[service] = .notServing
                entries.tell(service)
            }
            for watcher in entries.watchers.values { watcher.continuation.finish() }
            entries.watchers = [:]
        }
    }

    /// Begins a watch with the present state. It lasts until ``end(_:)``.
    func watch(_ service: String) -> Watch {
        let (states, continuation) = AsyncStream<Health.State?>.makeStream(bufferingPolicy: .bufferingNewest(1))
        return entries.withLock { entries in
            entries.lastID += 1
            continuation.yield(entries.states[service])
            if entries.hasStopped {
                continuation.finish()
            } else {
                entries.watchers[entries.lastID] = Watcher(service: service, continuation: continuation)
            }
            return Watch(states: states, id: entries.lastID)
        }
    }

    func end(_ watch: Watch) { _ = entries.withLock { $0.watchers.removeValue(forKey: watch.id) } }

    /// How many watches there are.
    var watches: Int { entries.withLock { $0.watchers.count } }
}
