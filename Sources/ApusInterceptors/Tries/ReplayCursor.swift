// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

extension ReplayBuffer {
    /// One try's view of a streamed request.
    final class Cursor: MessageSource {
        private let buffer: ReplayBuffer
        private let id: UInt64

        init(buffer: ReplayBuffer, id: UInt64) {
            self.buffer = buffer
            self.id = id
        }

        func next() async throws -> MessageBytes? {
            while true {
                switch buffer.state.withLock({ $0.step(for: id, limit: buffer.limit) }) {
                case .message(let message): return message
                case .end(.finished): return nil
                case .end(.failed(let error)): throw error
                case .pull: try await buffer.pull()
                case .wait: try await buffer.waitForPull(id)
                }
            }
        }

        func cancel() { buffer.cancel(id) }
    }

    /// Asks the source once and keeps the answer, whether or not the asking try is still the current one.
    ///
    /// - Throws: `CancellationError` when the task was cancelled: the next to ask will ask the source again.
    fileprivate func pull() async throws {
        let answer: Result<MessageBytes?, any Error>
        do {
            answer = .success(try await source.next())
        } catch {
            answer = .failure(error)
        }
        let waiter = state.withLock { state in
            state.isPulling = false
            switch answer {
            case .success(let message?): state.keep(message)
            case .success(nil): state.end = .finished
            case .failure(is CancellationError): break
            case .failure(let error): state.end = .failed(error)
            }
            return state.waiter.take()
        }
        waiter?.continuation.resume()
        if case .failure(let error as CancellationError) = answer { throw error }
    }

    /// Waits while another cursor asks the source.
    fileprivate func waitForPull(_ cursor: UInt64) async throws {
        try await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let waits = state.withLock { state in
                    guard state.isPulling, state.current == cursor, !state.isCancelled, !Task.isCancelled else {
                        return false
                    }
                    state.waiter = (cursor, continuation)
                    return true
                }
                if !waits { continuation.resume() }
            }
            try Task.checkCancellation()
        } onCancel: {
            wake(cursor)
        }
    }

    /// The transport will not read a try's request on: the end of the try, or of the request once committed.
    fileprivate func cancel(_ cursor: UInt64) {
        let committed = state.withLock { state in
            guard state.current == cursor else { return false }
            state.isCancelled = true
            return state.isCommitted
        }
        wake(cursor)
        if committed { source.cancel() }
    }

    private func wake(_ cursor: UInt64) {
        let waiter = state.withLock { state in
            state.waiter?.cursor == cursor ? state.waiter.take() : nil
        }
        waiter?.continuation.resume()
    }
}
