// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// A clock that stands still until a test turns it.
package final class ManualClock: MonotonicClock {
    private typealias Sleeper = (id: UInt64, until: MonotonicInstant, continuation: UnsafeContinuation<Void, any Error>)
    private typealias Watcher = (sleepers: Int, continuation: UnsafeContinuation<Void, Never>)

    private struct State {
        var now: MonotonicInstant
        var lastID: UInt64 = 0
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>

    package init(startingAt seconds: Int64 = 1000) {
        state = Mutex(State(now: MonotonicInstant(nanoseconds: seconds * 1_000_000_000)))
    }

    package var now: MonotonicInstant { state.withLock { $0.now } }

    /// How many tasks sleep.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    package func sleep(until deadline: MonotonicInstant) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        defer { _ = state.withLock { $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                add((id, deadline, continuation))
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Turns the clock, waking every task whose moment has come, earliest first.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let now = state.now
            let due = state.sleepers.filter { $0.until <= now }
            state.sleepers.removeAll { $0.until <= now }
            return due.sorted { $0.until < $1.until }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Waits until at least `count` tasks sleep.
    package func waitForSleepers(_ count: Int = 1) async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let enough = state.withLock { state in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if enough { continuation.resume() }
        }
    }

    private func add(_ sleeper: Sleeper) {
        let (cancelled, due, watchers) = state.withLock { state -> (Bool, Bool, [Watcher]) in
            if state.cancelled.contains(sleeper.id) { return (true, false, []) }
            if sleeper.until <= state.now { return (false, true, []) }
            state.sleepers.append(sleeper)
            let count = state.sleepers.count
            defer { state.watchers.removeAll { $0.sleepers <= count } }
            return (false, false, state.watchers.filter { $0.sleepers <= count })
        }
        if cancelled { sleeper.continuation.resume(throwing: CancellationError()) }
        if due { sleeper.continuation.resume() }
        for watcher in watchers { watcher.continuation.resume() }
    }

    private func cancel(_ id: UInt64) {
        let sleeper = state.withLock { state -> Sleeper? in
            guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.sleepers.remove(at: index)
        }
        sleeper?.continuation.resume(throwing: CancellationError())
    }
}
