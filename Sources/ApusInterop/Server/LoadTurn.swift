// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization

/// Lets one call at a time decide which load the server reports: the others wait, or their clients would see a
/// stranger's reports. Source: gRPC, *Interoperability Test Case Descriptions*, orca_oob.
final class LoadTurn: Sendable {
    private struct State {
        var isTaken = false
        var waiters = Waiters()
    }

    private let state = Mutex(State())

    /// Waits until no other call has the turn.
    ///
    /// - Throws: `CancellationError`.
    func take() async throws {
        let id = state.withLock { $0.waiters.makeID() }
        while !isFree() {
            try await withTaskCancellationHandler {
                try await withUnsafeThrowingContinuation { wait($0, id) }
            } onCancel: {
                state.withLock { $0.waiters.cancel(id) }?.resume(throwing: CancellationError())
            }
        }
    }

    // Takes it if so.
    private func isFree() -> Bool {
        state.withLock { state in
            guard !state.isTaken else { return false }
            state.isTaken = true
            return true
        }
    }

    private func wait(_ continuation: Waiters.Continuation, _ id: UInt64) {
        let (isOver, error) = state.withLock { state -> (Bool, (any Error)?) in
            guard state.isTaken else { return (true, nil) }
            let error = state.waiters.wait(continuation, id)
            return (error != nil, error)
        }
        guard isOver else { return }
        if let error { continuation.resume(throwing: error) } else { continuation.resume() }
    }

    /// Gives the turn back.
    func leave() {
        let waiting = state.withLock { state in
            state.isTaken = false
            return state.waiters.takeAll()
        }
        for continuation in waiting { continuation.resume() }
    }
}
