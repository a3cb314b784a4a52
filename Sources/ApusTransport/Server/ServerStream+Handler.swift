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
        isTold = true
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
                    let call = if let compressed { try self.opened(call, compressed, server) } else { call }
                    let response = try await server.answer(call, entry.route) { try self.framed($0) }
                    self.handlerEnded(response.message, Status.ok, nil)
                } catch {
                    self.handlerEnded(nil, error.status, error.metadata)
                }
            }
        }
    }

    private func opened(
        _ call: ServerCall, _ compressed: Decompression, _ server: Server
    ) throws(RPCError) -> ServerCall {
        do throws(RPCError) {
            return try call.opened(compressed)
        } catch {
            server.ended(beforeHandler: call, error)
            throw error
        }
    }

    /// Tells the observer, once, of a call that ends before it has a handler.
    func tellUnhandled(_ error: RPCError) {
        guard !isTold, record != nil, let entry, let connection else { return }
        isTold = true
        connection.server.ended(
            beforeHandler: ServerCall(
                method: entry.route.method, metadata: head.metadata, deadline: deadline, origin: connection.origin,
                request: .one(MessageBytes([])), responder: self), error)
    }

    /// Ends a call that no handler has seen: the client may try it elsewhere.
    func refuse() {
        guard !isReset, handler == nil, let connection else { return }
        isReset = true
        tellUnhandled(RPCError(.unavailable, "the call was refused: handlers of calls that are over hold every slot"))
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
