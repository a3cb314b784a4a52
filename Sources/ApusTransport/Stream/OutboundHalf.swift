// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import Synchronization

/// The sending half of a stream: writers on any thread put messages in, the loop takes them out into DATA frames.
///
/// A writer suspends while more than ``highWaterMark`` bytes wait. The loop is woken once for a batch of writes.
/// Sendable: `sending` belongs to the loop, everything else is behind the mutex.
///
/// Not generic over its end: a mutex inside of a generic class looks its type up at run time, with every stream.
final class OutboundHalf: @unchecked Sendable {
    /// How the half ends. A request has nothing to say at its end.
    struct End: Sendable {
        private final class Words: Sendable {
            let status: Status
            let metadata: Metadata

            init(_ status: Status, _ metadata: Metadata) {
                self.status = status
                self.metadata = metadata
            }
        }

        // Behind one reference, since ends are copied often; nil for OK and nothing else, which most ends are.
        private let words: Words?

        init() { words = nil }

        init(status: Status, metadata: Metadata) { words = Words(status, metadata) }

        /// Whether the call succeeded and there is nothing to add.
        var isPlain: Bool { words == nil }
        var isOK: Bool { words?.status.isOK ?? true }
        var status: Status { words?.status ?? .ok }
        var metadata: Metadata { words?.metadata ?? Metadata() }
    }

    /// Bytes that may wait before writers suspend.
    static var highWaterMark: Int { 64 * 1024 }

    private struct State {
        var messages = OutboundMessages()
        // Bytes that wait, those of `sending` included.
        var bytes = 0
        var end: End?
        var failure: RPCError?
        var writers = Waiters()
        // Why the call is over, before the writers' tasks are cancelled for it.
        var callEnd: RPCError?
        var account: BufferAccount
        // Whether the loop was told, or is in the middle of taking messages out.
        var isScheduled = false
    }

    /// What the loop may send now.
    enum Available {
        case bytes(Int)
        /// And then comes ``ending``.
        case bytesAndEnd(Int)
        case nothing
    }

    private let state: Mutex<State>
    // Unchecked: one thread, and none of its methods calls back.
    @exclusivity(unchecked) private var sending = OutboundMessages()
    /// The end behind what was fetched, once it is there: nothing more will be written. Loop only.
    @exclusivity(unchecked) private(set) var ending: End?
    // Whether nobody waits for what is taken out, nor is anything charged for it.
    @exclusivity(unchecked) private var isSettled = false

    /// - Parameter budget: what the bytes that wait are charged to.
    init(budget: BufferBudget? = nil) { state = Mutex(State(account: BufferAccount(budget))) }

    // MARK: Writers

    /// Puts a message in.
    ///
    /// - Returns: whether the loop must be told (`wake`), and whether the writer should ``drain()`` first (`full`).
    func write(_ message: MessageBytes) throws(RPCError) -> (wake: Bool, full: Bool) {
        let (failure, wake, full) = state.withLock { state -> (RPCError?, Bool, Bool) in
            if let failure = state.failure { return (failure, false, false) }
            if state.end != nil {
                return (RPCError(.failedPrecondition, "a message was written after the stream's end"), false, false)
            }
            Self.append(message, &state)
            defer { state.isScheduled = true }
            return (nil, !state.isScheduled, state.bytes > Self.highWaterMark)
        }
        if let failure { throw failure }
        return (wake, full)
    }

    private static func append(_ message: MessageBytes, _ state: inout State) {
        state.messages.append(message)
        state.bytes += message.count + MessageBytes.prefixSize
        state.account.hold(state.bytes)
    }

    /// Waits until less than half of the mark is left.
    func drain() async throws {
        let id = state.withLock { $0.writers.makeID() }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { wait($0, id) }
        } onCancel: {
            let (writer, error) = state.withLock { ($0.writers.cancel(id), Self.cancellation($0)) }
            writer?.resume(throwing: error)
        }
    }

    private func wait(_ writer: Waiters.Continuation, _ id: UInt64) {
        let answer = state.withLock { state -> Result<Void, any Error>? in
            if let failure = state.failure { return .failure(failure) }
            if state.bytes <= Self.highWaterMark / 2 { return .success(()) }
            let end = state.callEnd
            return state.writers.wait(writer, id, cancelled: end ?? CancellationError()).map { .failure($0) }
        }
        if let answer { writer.resume(with: answer) }
    }

    /// The call is over, and its task about to be cancelled for it: then this is what writers get.
    func willFail(_ error: RPCError) { state.withLock { $0.callEnd = error } }

    private static func cancellation(_ state: State) -> any Error { state.callEnd ?? CancellationError() }

    /// Ends the half, once: with a last message or none.
    ///
    /// - Returns: whether the loop must be told; nil when it had ended before.
    func finish(_ message: MessageBytes?, _ end: End) -> Bool? {
        state.withLock { state in
            guard state.end == nil, state.failure == nil else { return nil }
            if let message { Self.append(message, &state) }
            state.end = end
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
    }

    // MARK: The loop

    /// As ``finish(_:_:)``, on the loop: what nobody else has written to goes there by the shortest way.
    func finishOnLoop(_ message: MessageBytes?, _ end: End) {
        let size = message.map { $0.count + MessageBytes.prefixSize } ?? 0
        let isAlone = state.withLock { state in
            guard state.bytes == 0, state.end == nil, state.failure == nil, state.writers.isEmpty,
                state.account.charged == 0, size < BufferAccount.step
            else { return false }
            state.end = end
            state.isScheduled = true
            return true
        }
        guard isAlone else {
            _ = finish(message, end)
            return
        }
        if let message { sending.append(message) }
        ending = end
        isSettled = true
    }

    /// What may be sent, `limit` bytes at most. When there is nothing, the next writer tells the loop.
    func available(_ limit: Int) -> Available {
        collect()
        if sending.bytes > limit { return .bytes(limit) }
        if ending != nil { return .bytesAndEnd(sending.bytes) }
        return sending.bytes > 0 ? .bytes(sending.bytes) : .nothing
    }

    /// Whether the half has ended with nothing left to send: and how.
    func endWithoutMessages() -> End? {
        // Of a half that goes on more is to come before it is asked for: fetched together it is fetched in one piece.
        collect(onlyEnded: true)
        return sending.bytes == 0 ? ending : nil
    }

    // Fetches what was written.
    private func collect(onlyEnded: Bool = false) {
        guard ending == nil else { return }
        var written = OutboundMessages()
        state.withLock { state in
            guard state.end != nil || !onlyEnded else { return }
            if state.bytes == 0, state.end == nil { state.isScheduled = false }
            swap(&written, &state.messages)
            ending = state.end
            // Who wrote much and comes to wait for it only now must find that it has left.
            isSettled =
                state.end != nil && state.account.charged == 0 && state.bytes <= Self.highWaterMark / 2
                && state.writers.isEmpty
        }
        sending.append(allOf: &written)
    }

    /// Moves bytes that ``available(_:)`` has promised to `output`.
    func take(_ count: Int, into output: OutputBuffer) {
        sending.take(count, into: output)
        if isSettled { return }
        let writers = state.withLock { state in
            state.bytes = max(0, state.bytes - count)
            state.account.hold(state.bytes)
            return state.bytes <= Self.highWaterMark / 2 ? state.writers.takeAll() : []
        }
        for writer in writers { writer.resume() }
    }

    /// Replaces the end and drops what waits: the call is over for a reason of its own. Loop only.
    func override(_ end: End, writersGet error: RPCError) {
        fail(error)
        ending = end
        state.withLock { $0.end = end }
    }

    /// What is charged for it, and when it last went on.
    var account: BufferAccount { state.withLock { $0.account } }

    /// The stream is gone: what waits is dropped, writers get the error. Loop only.
    func fail(_ error: RPCError) {
        sending.removeAll()
        ending = nil
        isSettled = false
        let writers = state.withLock { state in
            if state.failure == nil { state.failure = error }
            state.messages.removeAll()
            state.bytes = 0
            state.account.close()
            return state.writers.takeAll()
        }
        for writer in writers { writer.resume(throwing: error) }
    }
}
