// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Messages that arrived on a stream and wait for their one reader, which may run anywhere.
///
/// The reader takes them without waking the loop; it asks for credit only when the peer may have run out of it.
final class InboundMessages: MessageSource {
    private typealias Reader = Waiter<MessageBytes?>.Continuation

    private enum End {
        case finished
        case failed(RPCError)
    }

    private struct State {
        var queue = Deque<MessageBytes>()
        var end: End?
        var reader = Waiter<MessageBytes?>()
        // Why the call is over, before the reader's task is cancelled for it.
        var callEnd: RPCError?
        // Bytes of the queue.
        var waiting = 0
        var account: BufferAccount
        // Bytes that arrived and were not credited to the stream's window.
        var owed = 0
    }

    private let state: Mutex<State>
    // The reader asks for credit above this many bytes; far below a window, so that a peer never stands still.
    private static let creditThreshold = 16 * 1024
    private let decompression: Decompression
    private let askForCredit: @Sendable () -> Void
    private let abandon: @Sendable () -> Void
    private let spoiled: @Sendable (RPCError) -> Void

    /// - Parameters:
    ///   - decompression: makes messages out of compressed ones.
    ///   - budget: what the messages that wait are charged to.
    ///   - askForCredit: called on any thread when ``takeCredit()`` should be called on the loop.
    ///   - abandon: called on any thread when the reader wants no more.
    ///   - spoiled: called on any thread when a message could not be decompressed: the reader has got the error.
    init(
        _ decompression: Decompression, budget: BufferBudget? = nil, askForCredit: @escaping @Sendable () -> Void,
        abandon: @escaping @Sendable () -> Void, spoiled: @escaping @Sendable (RPCError) -> Void
    ) {
        state = Mutex(State(account: BufferAccount(budget)))
        self.decompression = decompression
        self.askForCredit = askForCredit
        self.abandon = abandon
        self.spoiled = spoiled
    }

    // MARK: The loop's side

    /// Notes bytes of DATA and tells how many of them may be credited now: all, if nothing complete waits.
    func arrived(_ bytes: Int) -> Int {
        state.withLock { state in
            state.owed += bytes
            return state.queue.isEmpty ? Self.settle(&state) : 0
        }
    }

    /// What is to be credited because the reader has caught up.
    func takeCredit() -> Int {
        state.withLock { $0.queue.isEmpty ? Self.settle(&$0) : 0 }
    }

    private static func settle(_ state: inout State) -> Int {
        defer { state.owed = 0 }
        return state.owed
    }

    func push(_ message: MessageBytes) {
        let reader = state.withLock { state -> Reader? in
            guard state.end == nil else { return nil }
            if let reader = state.reader.take() { return reader }
            state.queue.append(message)
            state.waiting += message.count
            state.account.hold(state.waiting)
            return nil
        }
        reader?.resume(returning: message)
    }

    /// No more messages: the reader gets what waits, then nil.
    func finish() { end(.finished) }

    /// The stream broke: the reader gets what waits, then the error.
    func fail(_ error: RPCError) { end(.failed(error)) }

    /// The call is over, and the reader's task about to be cancelled for it: then this is what the reader gets.
    func willFail(_ error: RPCError) { state.withLock { $0.callEnd = error } }

    /// The stream is over: what waits is still the reader's, but no longer the budget's.
    func close() { state.withLock { $0.account.close() } }

    /// Forgets what waits.
    func removeAll() { state.withLock { Self.drop(&$0) } }

    private static func drop(_ state: inout State) {
        state.queue.removeAll()
        state.waiting = 0
        state.account.hold(0)
    }

    /// What is charged for it, and when it last went on.
    var account: BufferAccount { state.withLock { $0.account } }

    private func end(_ end: End) {
        let reader = state.withLock { state -> Reader? in
            guard state.end == nil else { return nil }
            state.end = end
            return state.reader.take()
        }
        guard let reader else { return }
        switch end {
        case .finished: reader.resume(returning: nil)
        case .failed(let error): reader.resume(throwing: error)
        }
    }

    // MARK: The reader's side

    private enum Answer {
        case message(MessageBytes, askForCredit: Bool)
        case end
        case failed(any Error)
        case wait
    }

    func next() async throws -> MessageBytes? {
        switch poll(nil) {
        case .message(let message, let ask):
            if ask { askForCredit() }
            return try open(message)
        case .end: return nil
        case .failed(let error): throw error
        case .wait: break
        }
        let message = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { wait($0) }
        } onCancel: {
            let (reader, error) = state.withLock { ($0.reader.take(), Self.cancellation($0)) }
            reader?.resume(throwing: error)
        }
        guard let message else { return nil }
        return try open(message)
    }

    private static func cancellation(_ state: State) -> any Error { state.callEnd ?? CancellationError() }

    // Only here, where the reader asks for one: what waits stays as small as the peer's window allows.
    private func open(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        guard message.isCompressed else { return message }
        do throws(RPCError) {
            return try decompression.open(message)
        } catch {
            state.withLock { state in
                Self.drop(&state)
                state.end = .failed(error)
            }
            spoiled(error)
            throw error
        }
    }

    func cancel() { abandon() }

    private func wait(_ reader: Reader) {
        switch poll(reader) {
        case .message(let message, let ask):
            if ask { askForCredit() }
            reader.resume(returning: message)
        case .end: reader.resume(returning: nil)
        case .failed(let error): reader.resume(throwing: error)
        case .wait: break
        }
    }

    // With a reader, it is kept when there is nothing to give it.
    private func poll(_ reader: Reader?) -> Answer {
        state.withLock { state in
            if let message = state.queue.popFirst() {
                state.waiting -= message.count
                state.account.hold(state.waiting)
                return .message(message, askForCredit: state.queue.isEmpty && state.owed >= Self.creditThreshold)
            }
            switch state.end {
            case .finished: return .end
            case .failed(let error): return .failed(error)
            case nil: break
            }
            guard let reader else { return .wait }
            let end = state.callEnd
            return state.reader.wait(reader, cancelled: end ?? CancellationError()).map { .failed($0) } ?? .wait
        }
    }
}
