// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire
import Synchronization

// The task of a call's handler: when it starts, and what its end means.

extension ServerStream {
    /// Starts the handler, outside of nghttp2's callbacks.
    ///
    /// - Returns: whether there is something to handle still.
    func startHandler() -> Bool {
        guard !isReset, handler == nil, let connection, let entry else { return false }
        guard let body = inbound.map({ MessageBody.stream($0) }) ?? request.map({ .one($0) }) else { return false }
        let compressed = request?.isCompressed == true ? decompression(connection) : nil
        request = nil
        let call = ServerCall(
            method: entry.route.method, metadata: head.metadata, deadline: deadline, peer: connection.io.peer,
            peerIdentity: connection.peerIdentity, request: body, responder: self)
        let server = connection.server
        let route = entry.route
        owner.handlerStarted()
        handler = Task(executorPreference: connection.executor(for: entry)) {
            do throws(RPCError) {
                let response =
                    if let compressed {
                        try await server.answer(call.opened(compressed), route)
                    } else {
                        try await server.answer(call, route)
                    }
                self.handlerEnded(try response.message.map(self.framed), Status.ok, nil)
            } catch {
                self.handlerEnded(nil, error.status, error.metadata)
            }
        }
        return true
    }

    /// Ends a call that no handler has seen: the client may try it elsewhere.
    func refuse() {
        guard !isReset, handler == nil, let connection else { return }
        isReset = true
        connection.session?.reset(self, code: HTTP2ErrorCode.refusedStream)
        connection.touch()
    }

    private func handlerEnded(_ message: MessageBytes?, _ status: Status, _ metadata: Metadata?) {
        var trailers = fields.withLock { $0.trailers }
        if let metadata, !metadata.isEmpty { trailers.add(contentsOf: metadata) }
        _ = outbound.finish(message, End(status: status, metadata: trailers))
        loop.run { self.handlerLeft() }
    }

    private func handlerLeft() {
        handler = nil
        owner.handlerEnded()
        slots.handlerLeft()
        respond()
    }
}
