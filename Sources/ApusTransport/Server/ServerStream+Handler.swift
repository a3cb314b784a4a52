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
        guard !isReset, case .none = handler, isOpen, let service = entry?.service else { return false }
        guard request != nil || inbound != nil else { return false }
        if request != nil {
            handed = request.take()
            forgetRequest()
        }
        connection.handlers.handlerStarted()
        guard let executor = connection.handlers.executors[service] else {
            handler = .waiting
            connection.workers.start(self)
            return true
        }
        isTold = true
        // A task that may throw, though it never does: the runtime's are, and any other gets a thunk and its closure.
        handler = .task(
            Task<Void, any Error>(executorPreference: executor) {
                // Bound here, where it is the task's own memory: what is bound outside is copied for the task, which is
                // three allocations. Nothing follows: what follows an `await` costs a look at the task's executor.
                await ServerCall.$binding.withValue(self) { await self.handle() }
            })
        return true
    }

    /// Handles the call in a task that has seen others.
    @inline(__always) @concurrent func run(in worker: LoopWorker) async {
        // Over before it was begun: somebody has told why.
        guard isOpen, !isReset else { return leaveUnhandled() }
        isTold = true
        handler = .worker(worker)
        await ServerCall.$binding.withValue(self) { await self.handle() }
    }

    private func leaveUnhandled() {
        handed = nil
        handlerLeft(failed: true)
    }

    // On the handler's executor.
    @inline(__always) @concurrent private func handle() async {
        var message: MessageBytes?
        let end: End
        do {
            let call = ServerCall(self, request: try takeBody())
            // Without policies one layer less.
            if connection.server.isPlain, let handler = entry?.route.handler {
                if record != nil { connection.server.began(call) }
                do {
                    message = try await handler(call).message
                    if let whole = message { message = try framed(whole) }
                } catch {
                    throw connection.server.ended(call, error)
                }
                if record != nil { connection.server.ended(call) }
            } else if let route = entry?.route {
                message = try await connection.server.answer(call, route, framed: framed).message
            }
            let trailers = notes.trailers
            end = trailers.isEmpty ? End() : End(status: .ok, metadata: trailers)
        } catch {
            message = nil
            end = ending(of: error)
        }
        handlerEnded(message, end)
    }

    @inline(never)
    private func ending(of error: any Error) -> End {
        let error = Server.mapped(error)
        var trailers = notes.trailers
        trailers.add(contentsOf: error.metadata)
        return End(status: error.status, metadata: trailers)
    }

    private func takeBody() throws(RPCError) -> MessageBody {
        if let inbound { return .stream(inbound) }
        // The one message, which is the handler's alone from now on.
        guard let message = handed.take() else { return Self.nothing }
        guard message.isCompressed else { return .one(message) }
        do throws(RPCError) {
            return .one(try decompression.open(message))
        } catch {
            if record != nil, let call { connection.server.ended(beforeHandler: call, error) }
            throw error
        }
    }

    /// Tells the observer, once, of a call that ends before it has a handler.
    func tellUnhandled(_ error: @autoclosure () -> RPCError) {
        guard !isTold, record != nil, isOpen, let call else { return }
        isTold = true
        connection.server.ended(beforeHandler: call, error())
    }

    /// Ends a call that no handler has seen: the client may try it elsewhere.
    func refuse() {
        guard !isReset, case .none = handler, isOpen else { return }
        isReset = true
        tellUnhandled(RPCError(.unavailable, "the call was refused: handlers of calls that are over hold every slot"))
        forgetRequest()
        connection.session?.reset(self, code: HTTP2ErrorCode.refusedStream)
        connection.touch()
    }

    private func handlerEnded(_ message: MessageBytes?, _ end: End) {
        let (loop, failed) = (loop, !end.isOK)
        if loop.isCurrent {
            outbound.finishOnLoop(message, end)
            handlerLeft(failed: failed)
        } else {
            _ = outbound.finish(message, end)
            loop.execute { self.handlerLeft(failed: failed) }
        }
    }

    private func handlerLeft(failed: Bool) {
        handler = .none
        // Whatever a handler says after its call was ended by somebody else.
        if connection.handlers.handlerEnded(failed: failed || isReset) { connection.owner.lastHandlerEnded() }
        connection.slots.handlerLeft()
        respond()
    }
}

extension ServerStream: LoopWork {}

extension ServerStream: CurrentCall {
    /// The call without its message. From any thread once the handler was started: until then its parts may change.
    var call: ServerCall? {
        entry.map { _ in ServerCall(self, request: inbound.map { .stream($0) } ?? Self.nothing) }
    }

    private static let noMessage = MessageBytes([])
    private static let nothing = MessageBody.one(noMessage)
}

extension ServerStream: ServerCallSource {
    var method: MethodDescriptor { entry?.route.method ?? Self.noMethod }
    var metadata: Metadata { head.metadata }
    var origin: ServerCall.Origin { connection.origin }
    var responder: any ServerResponder { self }

    // Of a stream that is no call yet, of which nobody makes a `ServerCall`.
    private static let noMethod = MethodDescriptor(service: "", name: "", kind: .unary)
}
