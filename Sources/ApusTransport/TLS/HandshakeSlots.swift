// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// How many handshakes a server makes at once; the others wait in line, up to a limit. Safe from any thread.
///
/// A handshake costs a hundred calls' worth of CPU: in turns, those that were begun are finished.
final class HandshakeSlots: Sendable {
    enum Answer {
        case granted
        /// The closure is called, on any thread, when the turn has come.
        case queued
        case refused
    }

    private struct State {
        var free: Int
        var queue = Deque<@Sendable () -> Void>()
    }

    private let state: Mutex<State>
    private let longestQueue: Int

    init(_ count: Int) {
        state = Mutex(State(free: max(1, count)))
        longestQueue = max(1, count).multipliedReportingOverflow(by: 4).partialValue
    }

    /// Takes a turn, now or later. Each turn must be given back.
    func acquire(_ granted: @escaping @Sendable () -> Void) -> Answer {
        state.withLock { state in
            if state.free > 0 {
                state.free -= 1
                return .granted
            }
            guard state.queue.count < longestQueue else { return .refused }
            state.queue.append(granted)
            return .queued
        }
    }

    /// Gives a turn back: the first in line has it.
    func release() {
        let next = state.withLock { state -> (@Sendable () -> Void)? in
            if let next = state.queue.popFirst() { return next }
            state.free += 1
            return nil
        }
        next?()
    }
}
