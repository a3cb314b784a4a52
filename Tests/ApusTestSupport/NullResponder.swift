// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// A response half that swallows everything: for tests that need a `ServerCall`.
package final class NullResponder: ServerResponder {
    package init() {}
    package func setInitialMetadata(_ metadata: Metadata) {}
    package func sendInitialMetadata() {}
    package func setTrailers(_ metadata: Metadata) {}
    package func write(_ message: MessageBytes) async throws(RPCError) {}
}

extension ServerCall {
    /// A call that a handler is at work on.
    package static func inProgress(deadline: CallDeadline = .none) -> ServerCall {
        ServerCall(
            method: .unary, metadata: Metadata(), deadline: deadline, peer: .memory("client"),
            request: .one(MessageBytes([])), responder: NullResponder())
    }
}
