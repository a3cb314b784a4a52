// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// A streamed response that a test feeds and ends.
package final class ScriptedResponses: ResponseSource {
    private let pipe = MessagePipe()
    private let ending = Mutex(Ending())

    private struct Ending {
        var hasEnded = false
        var error: RPCError?
        var trailers = Metadata()
        var actions: [@Sendable (RPCError?) -> Void] = []
    }

    package init() {}

    package var trailers: Metadata { ending.withLock { $0.trailers } }

    package func next() async throws -> MessageBytes? { try await pipe.next() }

    package func cancel() { end(RPCError(.cancelled, "nobody reads on")) }

    package func send(_ text: String) async throws { try await pipe.write(MessageBytes(text.utf8)) }

    /// Ends the call; nil is success.
    package func end(_ error: RPCError? = nil, trailers: Metadata = Metadata()) {
        if let error { pipe.fail(error) } else { pipe.finish() }
        let actions = ending.withLock { ending in
            guard !ending.hasEnded else { return [@Sendable (RPCError?) -> Void]() }
            ending.hasEnded = true
            ending.error = error
            ending.trailers = trailers
            defer { ending.actions = [] }
            return ending.actions
        }
        for action in actions { action(error) }
    }

    package func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) {
        let late = ending.withLock { ending -> RPCError?? in
            if ending.hasEnded { return .some(ending.error) }
            ending.actions.append(action)
            return nil
        }
        if case .some(let error) = late { action(error) }
    }
}
