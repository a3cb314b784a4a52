// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A bounded queue of messages between a writer and a reader that run on different tasks.
///
/// A write suspends while ``highWaterMark`` bytes wait to be read; a read suspends while nothing waits.
/// Any number of writers, one reader.
public final class MessagePipe: MessageSource {
    /// Bytes (prefixes included) that may wait before writers suspend.
    public let highWaterMark: Int

    private typealias Reader = Waiter<MessageBytes?>.Continuation

    private struct State {
        var queue = Deque<MessageBytes>()
        var bytes = 0
        var ended = false
        var isUntouched = true
        var failure: RPCError?
        var reader = Waiter<MessageBytes?>()
        var writers = Waiters()
    }

    private let state = Mutex(State())

    /// An empty pipe.
    public init(highWaterMark: Int = 64 * 1024) { self.highWaterMark = highWaterMark }

    /// Appends a message, once there is room.
    ///
    /// - Throws: the error that the pipe failed with; FAILED_PRECONDITION after ``finish()``; `CancellationError`.
    public func write(_ message: MessageBytes) async throws {
        while try !offer(message) { try await room() }
    }

    /// Ends the stream: the reader gets what waits, then nil. Later writes fail.
    public func finish() {
        let reader = state.withLock { state -> Reader? in
            guard !state.ended else { return nil }
            state.ended = true
            return state.queue.isEmpty ? state.reader.take() : nil
        }
        reader?.resume(returning: nil)
        resumeWriters(throwing: nil)
    }

    /// Breaks the stream for both sides: what waits is dropped, reads and writes throw `error`.
    public func fail(_ error: RPCError) {
        let reader = state.withLock { state -> Reader? in
            guard state.failure == nil else { return nil }
            state.failure = error
            state.ended = true
            state.queue.removeAll()
            state.bytes = 0
            return state.reader.take()
        }
        reader?.resume(throwing: error)
        resumeWriters(throwing: error)
    }

    /// The reader is gone: writes throw CANCELLED.
    public func cancel() { fail(RPCError(.cancelled, "the reader of this stream is gone")) }

    /// The next message; nil at the end.
    public func next() async throws -> MessageBytes? {
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (continuation: Reader) in
                take(continuation)
            }
        } onCancel: {
            let reader = state.withLock { $0.reader.take() }
            reader?.resume(throwing: CancellationError())
        }
    }

    /// Whether no message was read yet.
    public var isUntouched: Bool { state.withLock { $0.isUntouched } }

    private enum Answer {
        case message(MessageBytes)
        case end
        case fail(any Error)
        case wait
    }

    private func take(_ continuation: Reader) {
        let answer = state.withLock { state -> Answer in
            if let failure = state.failure { return .fail(failure) }
            if let message = state.queue.popFirst() {
                state.bytes -= message.count + MessageBytes.prefixSize
                state.isUntouched = false
                return .message(message)
            }
            if state.ended { return .end }
            return state.reader.wait(continuation).map { .fail($0) } ?? .wait
        }
        switch answer {
        case .message(let message):
            resumeWritersIfRoom()
            continuation.resume(returning: message)
        case .end: continuation.resume(returning: nil)
        case .fail(let error): continuation.resume(throwing: error)
        case .wait: break
        }
    }

    private func offer(_ message: MessageBytes) throws -> Bool {
        let (accepted, reader) = try state.withLock { state -> (Bool, Reader?) in
            if let failure = state.failure { throw failure }
            if state.ended { throw RPCError(.failedPrecondition, "a message was written after the stream's end") }
            if let reader = state.reader.take() {
                state.isUntouched = false
                return (true, reader)
            }
            guard state.bytes < highWaterMark else { return (false, nil) }
            state.queue.append(message)
            state.bytes += message.count + MessageBytes.prefixSize
            return (true, nil)
        }
        reader?.resume(returning: message)
        return accepted
    }

    // Waits until there may be room; `write` then tries again.
    private func room() async throws {
        let id = state.withLock { $0.writers.makeID() }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { wait($0, id) }
        } onCancel: {
            state.withLock { $0.writers.cancel(id) }?.resume(throwing: CancellationError())
        }
    }

    private func wait(_ writer: Waiters.Continuation, _ id: UInt64) {
        let answer = state.withLock { state -> Result<Void, any Error>? in
            if state.ended || state.bytes < highWaterMark { return .success(()) }
            return state.writers.wait(writer, id).map { .failure($0) }
        }
        if let answer { writer.resume(with: answer) }
    }

    private func resumeWritersIfRoom() {
        let writers = state.withLock { $0.bytes < highWaterMark ? $0.writers.takeAll() : [] }
        for writer in writers { writer.resume() }
    }

    private func resumeWriters(throwing error: RPCError?) {
        for writer in state.withLock({ $0.writers.takeAll() }) {
            if let error { writer.resume(throwing: error) } else { writer.resume() }
        }
    }
}
