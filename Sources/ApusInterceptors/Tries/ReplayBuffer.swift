// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Keeps what a streamed request has sent, so that another try can send it again.
///
/// Each try reads through a cursor of its own that starts at the first message and ends with its try.
/// A message that a failed try was still waiting for goes into the buffer, never to that try alone. Once a try has
/// read more than `limit` bytes, and after ``commit()``, nothing is kept: messages pass through to the last cursor.
final class ReplayBuffer: Sendable {
    let source: any MessageSource
    let limit: Int
    let state = Mutex(State())

    struct State {
        /// What is kept: from the first message on, or, once committed, until the cursor has read all of it.
        var messages: [MessageBytes] = []
        var bytes = 0
        /// How many of `messages` the current cursor has read.
        var position = 0
        var current: UInt64 = 0
        var isCommitted = false
        var end: End?
        /// Whether a cursor, perhaps of an earlier try, waits for the source.
        var isPulling = false
        var waiter: (cursor: UInt64, continuation: UnsafeContinuation<Void, Never>)?
        var isCancelled = false
    }

    /// How the source ended.
    enum End {
        case finished
        case failed(any Error)
    }

    /// What a cursor has to do for its next message.
    enum Step {
        case message(MessageBytes)
        case end(End)
        /// Ask the source, then ask again.
        case pull
        /// Another cursor asks the source: wait for it, then ask again.
        case wait
    }

    init(_ source: any MessageSource, limit: Int) {
        self.source = source
        self.limit = limit
    }

    /// A reader from the first message on, for the next try. Only after an ``endTry()`` that said yes, or at first.
    func makeCursor() -> Cursor {
        let id = state.withLock { state in
            state.position = 0
            state.isCancelled = false
            return state.current
        }
        return Cursor(buffer: self, id: id)
    }

    /// The present try has failed: ends its cursor, and tells whether another try can have all messages.
    func endTry() -> Bool {
        let (replayable, waiter) = state.withLock { state in
            state.current += 1
            return (!state.isCommitted, state.waiter.take())
        }
        waiter?.continuation.resume()
        return replayable
    }

    /// The last try has won: keeps nothing from now on.
    func commit() {
        let cancelled = state.withLock { state in
            state.commit()
            return state.isCancelled
        }
        if cancelled { source.cancel() }
    }

    /// The call has failed: nobody will read on.
    func abandon() {
        _ = endTry()
        state.withLock { state in
            state.commit()
            state.messages = []
        }
        source.cancel()
    }
}

extension ReplayBuffer.State {
    mutating func commit() {
        isCommitted = true
        dropIfAllRead()
    }

    /// Keeps a message that came from the source.
    mutating func keep(_ message: MessageBytes) {
        messages.append(message)
        bytes += message.count + MessageBytes.prefixSize
    }

    mutating func step(for cursor: UInt64, limit: Int) -> ReplayBuffer.Step {
        guard cursor == current, !isCancelled else {
            return .end(.failed(RPCError(.cancelled, "this try of the call is over")))
        }
        if position < messages.count { return .message(takeMessage(limit)) }
        if let end { return .end(end) }
        if isPulling { return waiter == nil ? .wait : .end(.failed(RPCError(.internal, "two tasks read one stream"))) }
        isPulling = true
        return .pull
    }

    // The limit counts here, where the present try goes past it: a message that arrives between two tries is kept.
    private mutating func takeMessage(_ limit: Int) -> MessageBytes {
        let message = messages[position]
        position += 1
        if bytes > limit { isCommitted = true }
        dropIfAllRead()
        return message
    }

    private mutating func dropIfAllRead() {
        guard isCommitted, position == messages.count else { return }
        messages.removeAll(keepingCapacity: messages.count == 1)
        bytes = 0
        position = 0
    }
}
