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
        if request != nil { forgetRequest() }
        let call = ServerCall(
            method: entry.route.method, metadata: head.metadata, deadline: deadline, origin: connection.origin,
            request: body, responder: self)
        owner.handlerStarted()
        start(call, entry, connection, compressed)
        return true
    }

    private func start(
        _ call: ServerCall, _ entry: Router.Entry, _ connection: ServerConnection, _ compressed: Decompression?
    ) {
        let server = connection.server
        // Bound here, where the task copies it: binding it inside of the task would cost a call's time twice more.
        handler = ServerCall.$current.withValue(call) {
            Task(executorPreference: connection.executor(for: entry)) {
                do throws(RPCError) {
                    let call = if let compressed { try call.opened(compressed) } else { call }
                    let response = try await server.answer(call, entry.route) { try self.framed($0) }
                    self.handlerEnded(response.message, Status.ok, nil)
                } catch {
                    self.handlerEnded(nil, error.status, error.metadata)
                }
            }
        }
    }

    /// Ends a call that no handler has seen: the client may try it elsewhere.
    func refuse() {
        guard !isReset, handler == nil, let connection else { return }
        isReset = true
        forgetRequest()
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
