// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Synchronization

/// A transport without a wire: it hands a channel's calls straight to a server's handlers.
final class LoopbackTransport: ClientTransport {
    private let server: Server

    init(_ services: [any Service]) throws { server = try Server(services) }

    func start(_ call: ClientCall) async throws -> ClientResponse {
        let path = Array(call.method.path.utf8)
        guard let index = path.withUnsafeBytes({ server.router.find($0) }) else {
            throw RPCError(.unimplemented, "no \(call.method.path)")
        }
        let route = server.router[index].route
        let source = LoopbackSource()
        let serverCall = ServerCall(
            method: route.method, metadata: call.metadata, deadline: call.deadline, peer: .memory("loopback"),
            request: call.request, responder: source)
        guard call.method.kind.streamsResponses else {
            guard
                let answer = try await ServerCall.withCurrent(
                    serverCall, operation: { try await server.answer(serverCall, route) }
                ).message
            else {
                throw RPCError(.internal, "no answer")
            }
            return ClientResponse(metadata: Metadata(), body: .one(answer, trailers: Metadata()))
        }
        Task {
            do throws(RPCError) {
                _ = try await server.answer(serverCall, route)
                source.end(nil)
            } catch {
                source.end(error)
            }
        }
        return ClientResponse(metadata: Metadata(), body: .stream(source))
    }

    func close() {}

    func runBlocking(_ body: @escaping @Sendable () async -> Void) throws(RPCError) {
        let done = DispatchSemaphore(value: 0)
        Task {
            await body()
            done.signal()
        }
        done.wait()
    }
}

/// A streamed response between a handler and its client.
private final class LoopbackSource: ResponseSource, ServerResponder {
    private let pipe = MessagePipe()
    private let actions = Mutex<[@Sendable (RPCError?) -> Void]>([])

    var trailers: Metadata { Metadata() }

    func next() async throws -> MessageBytes? { try await pipe.next() }

    func cancel() { pipe.cancel() }

    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { actions.withLock { $0.append(action) } }

    func end(_ error: RPCError?) {
        if let error { pipe.fail(error) } else { pipe.finish() }
        let actions = actions.withLock { actions in
            defer { actions = [] }
            return actions
        }
        for action in actions { action(error) }
    }

    func setInitialMetadata(_: Metadata) {}
    func sendInitialMetadata() {}
    func setTrailers(_: Metadata) {}

    func write(_ message: MessageBytes) async throws(RPCError) {
        do {
            try await pipe.write(message)
        } catch {
            throw RPCError(wrapping: error)
        }
    }
}
