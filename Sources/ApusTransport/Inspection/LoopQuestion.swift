// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

extension EventLoop {
    /// What `question` finds on the loop's own thread; nil when the loop does not come to it in time.
    ///
    /// Something may block the loop, and who looks for that must not wait for it.
    func ask<Answer: Sendable>(
        within limit: Duration = .seconds(1), clock: any MonotonicClock = SystemClock(),
        _ question: @escaping @Sendable () -> Answer
    ) async -> Answer? {
        await withUnsafeContinuation { asker in
            let pending = PendingAnswer(asker)
            pending.giveUp(at: clock.now.advanced(by: limit), clock)
            run { pending.resume(question()) }
        }
    }
}

/// Somebody who waits for an answer, and gets the first one that comes.
private final class PendingAnswer<Answer: Sendable>: Sendable {
    typealias Asker = UnsafeContinuation<Answer?, Never>

    private struct State {
        var asker: Asker?
        var timer: Task<Void, Never>?
    }

    private let state: Mutex<State>

    init(_ asker: Asker) { state = Mutex(State(asker: asker)) }

    func giveUp(at deadline: MonotonicInstant, _ clock: any MonotonicClock) {
        let timer = Task {
            // Cancelled: the answer came.
            guard (try? await clock.sleep(until: deadline)) != nil else { return }
            self.resume(nil)
        }
        state.withLock { $0.timer = timer }
    }

    func resume(_ answer: Answer?) {
        let (asker, timer) = state.withLock { state in
            defer { state = State() }
            return (state.asker, state.timer)
        }
        timer?.cancel()
        asker?.resume(returning: answer)
    }
}
