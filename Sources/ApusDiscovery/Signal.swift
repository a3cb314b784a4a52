// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Something that happens once, and that any number of tasks wait for.
final class Signal: Sendable {
    /// How a wait ended.
    enum Outcome: Sendable {
        case fired, late, cancelled
    }

    private typealias Waiter = UnsafeContinuation<Outcome, Never>

    private struct State {
        var hasFired = false
        var waiters: [UInt64: Waiter] = [:]
        var lastID: UInt64 = 0
        /// Waits that ended before they began.
        var early: [UInt64: Outcome] = [:]
    }

    private let state = Mutex(State())

    func fire() {
        let waiters = state.withLock { state in
            state.hasFired = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: .fired) }
    }

    /// Waits until it fires, the moment comes, or the task is cancelled.
    func wait(until deadline: CallDeadline, clock: any MonotonicClock) async -> Outcome {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let timer = deadline.isNone ? nil : Task { await self.end(id, at: deadline.instant, clock) }
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: Waiter) in begin(id, waiter) }
        } onCancel: {
            end(id, .cancelled)
        }
        timer?.cancel()
        await timer?.value
        _ = state.withLock { $0.early.removeValue(forKey: id) }
        return outcome
    }

    private func end(_ id: UInt64, at moment: MonotonicInstant, _ clock: any MonotonicClock) async {
        do {
            try await clock.sleep(until: moment)
            end(id, .late)
        } catch {
            // Cancelled: the wait is over.
        }
    }

    private func begin(_ id: UInt64, _ waiter: Waiter) {
        let outcome = state.withLock { state -> Outcome? in
            if state.hasFired { return .fired }
            if let early = state.early[id] { return early }
            state.waiters[id] = waiter
            return nil
        }
        if let outcome { waiter.resume(returning: outcome) }
    }

    private func end(_ id: UInt64, _ outcome: Outcome) {
        let waiter = state.withLock { state -> Waiter? in
            if let waiter = state.waiters.removeValue(forKey: id) { return waiter }
            if state.early[id] == nil { state.early[id] = outcome }
            return nil
        }
        waiter?.resume(returning: outcome)
    }
}
