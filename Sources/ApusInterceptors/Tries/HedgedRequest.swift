// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// A streamed request that several tries read at the same time: each of them gets all messages from the first on.
///
/// What one try has taken from the source is kept for the others. When more than `limit` bytes would have to be kept,
/// the call commits to the try that is ahead: no other one starts, and those behind it end.
final class HedgedRequest: Sendable {
    private let source: any MessageSource
    private let limit: Int
    private let state = Mutex(State())

    fileprivate struct State {
        var messages: [MessageBytes] = []
        /// The number of the first message that is kept.
        var first = 0
        var bytes = 0
        var end: Result<Void, any Error>?
        var isPulling = false
        var readers: [Int: Reader] = [:]
        var committed: Int?
        var isOver = false
    }

    fileprivate struct Reader {
        var position = 0
        var waiter: UnsafeContinuation<Void, Never>?
    }

    fileprivate enum Step {
        case message(MessageBytes)
        case end(Result<Void, any Error>)
        case pull
        case wait
    }

    init(_ source: any MessageSource, limit: Int) {
        self.source = source
        self.limit = limit
    }

    /// Whether another try can have all messages.
    var canRepeat: Bool { state.withLock { $0.committed == nil && !$0.isOver } }

    /// Whether the call has committed to another try than this.
    func hasLost(_ number: Int) -> Bool { state.withLock { $0.committed.map { $0 != number } ?? false } }

    /// The request for a try. One that begins when the call has just committed to another gets nothing: the first
    /// messages may be gone.
    func reader(of number: Int) -> any MessageSource {
        state.withLock { state in
            if state.committed == nil { state.readers[number] = Reader() }
        }
        return TrySource(request: self, number: number)
    }

    /// This try has won: the others get nothing more, and nothing is kept.
    func commit(to number: Int) {
        let (waiters, isCancelled) = state.withLock { state in
            let waiters = state.commit(to: number)
            return (waiters, state.committed == number && state.readers[number] == nil)
        }
        for waiter in waiters { waiter.resume() }
        if isCancelled { source.cancel() }
    }

    /// The call has failed: nobody will read on.
    func abandon() {
        let waiters = state.withLock { state in
            state.isOver = true
            state.messages = []
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
        source.cancel()
    }
}

extension HedgedRequest.State {
    mutating func takeWaiters() -> [UnsafeContinuation<Void, Never>] {
        readers.keys.compactMap { readers[$0]?.waiter.take() }
    }

    mutating func commit(to number: Int) -> [UnsafeContinuation<Void, Never>] {
        guard committed == nil else { return [] }
        committed = number
        let waiters = takeWaiters()
        readers = readers.filter { $0.key == number }
        drop()
        return waiters
    }

    /// Forgets what no reader needs any more: before the commitment another try may need everything.
    mutating func drop() {
        guard let committed else { return }
        let needed = readers[committed]?.position ?? first + messages.count
        let count = min(max(0, needed - first), messages.count)
        messages.removeFirst(count)
        first += count
    }

    mutating func step(for number: Int) -> HedgedRequest.Step {
        guard !isOver, let reader = readers[number] else {
            return .end(.failure(RPCError(.cancelled, "this try of the call is over")))
        }
        let index = reader.position - first
        if messages.indices.contains(index) {
            let message = messages[index]
            readers[number]?.position += 1
            drop()
            return .message(message)
        }
        if let end { return .end(end) }
        if isPulling { return .wait }
        isPulling = true
        return .pull
    }

    /// Keeps a message that this try has asked for.
    mutating func keep(_ message: MessageBytes, for number: Int, limit: Int) -> [UnsafeContinuation<Void, Never>] {
        messages.append(message)
        bytes += message.count + MessageBytes.prefixSize
        // To one that still reads: the one that asked may just have lost.
        let ahead = readers[number] == nil ? readers.max { $0.value.position < $1.value.position }?.key : number
        guard bytes > limit, let ahead else { return [] }
        return commit(to: ahead)
    }
}

extension HedgedRequest {
    /// One try's view of the request.
    private final class TrySource: MessageSource {
        private let request: HedgedRequest
        private let number: Int

        init(request: HedgedRequest, number: Int) {
            self.request = request
            self.number = number
        }

        func next() async throws -> MessageBytes? {
            while true {
                switch request.state.withLock({ $0.step(for: number) }) {
                case .message(let message): return message
                case .end(.success): return nil
                case .end(.failure(let error)): throw error
                case .pull: try await request.pull(for: number)
                case .wait: try await request.wait(number)
                }
            }
        }

        // One that a server has not answered yet is as good as untouched: another try gets all of it.
        var isUntouched: Bool { request.state.withLock { $0.readers[number]?.position == 0 } }

        func cancel() { request.cancel(number) }
    }

    /// Asks the source once and keeps the answer, whether or not the asking try still reads.
    ///
    /// - Throws: `CancellationError` when the task was cancelled: the next to ask will ask the source again.
    private func pull(for number: Int) async throws {
        let answer: Result<MessageBytes?, any Error>
        do {
            answer = .success(try await source.next())
        } catch {
            answer = .failure(error)
        }
        let waiters = state.withLock { state -> [UnsafeContinuation<Void, Never>] in
            state.isPulling = false
            var waiters = state.takeWaiters()
            switch answer {
            case .success(let message?): waiters += state.keep(message, for: number, limit: limit)
            case .success(nil): state.end = .success(())
            case .failure(is CancellationError): break
            case .failure(let error): state.end = .failure(error)
            }
            return waiters
        }
        for waiter in waiters { waiter.resume() }
        if case .failure(let error as CancellationError) = answer { throw error }
    }

    /// Waits while another try asks the source.
    private func wait(_ number: Int) async throws {
        try await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let waits = state.withLock { state in
                    // Asked under the lock that the cancellation handler takes: it finds the task here, or is seen.
                    guard state.isPulling, !state.isOver, state.readers[number] != nil, !Task.isCancelled else {
                        return false
                    }
                    state.readers[number]?.waiter = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
            try Task.checkCancellation()
        } onCancel: {
            state.withLock { $0.readers[number]?.waiter.take() }?.resume()
        }
    }

    /// The transport will not read a try's request on: the end of the try, or of the request once committed.
    private func cancel(_ number: Int) {
        let (waiter, committed) = state.withLock { state in
            let reader = state.readers.removeValue(forKey: number)
            state.drop()
            return (reader?.waiter, state.committed == number)
        }
        waiter?.resume()
        if committed { source.cancel() }
    }
}
