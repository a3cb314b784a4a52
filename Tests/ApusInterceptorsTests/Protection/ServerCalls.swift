// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization

extension ServerCall {
    /// A call as a transport would start it.
    static func made(
        _ metadata: Metadata = Metadata(), method: MethodDescriptor = .unary,
        peer: Endpoint.Address = .memory("client"),
        identity: PeerIdentity? = nil, text: String = ""
    ) -> ServerCall {
        ServerCall(
            method: method, metadata: metadata, deadline: .none, peer: peer, peerIdentity: identity,
            request: .one(MessageBytes(text.utf8)), responder: NullResponder())
    }

    /// Answers the call as a server with these interceptors does.
    @discardableResult
    func answered(
        by interceptors: [any ServerInterceptor], _ handler: @escaping @Sendable (ServerCall) async throws -> String
    ) async throws -> String {
        let route = Route(method) { ServerResponse(message: MessageBytes(try await handler($0).utf8)) }
        let response = try await Server([], interceptors: interceptors).answer(self, route)
        return String(decoding: response.message?.bytes ?? [], as: UTF8.self)
    }
}

extension [ServerCall] {
    /// Which of the calls, one after the other, pass an interceptor.
    func passing(_ interceptor: any ServerInterceptor) async -> [Bool] {
        var all: [Bool] = []
        for call in self { all.append((try? await call.answered(by: [interceptor]) { _ in "" }) != nil) }
        return all
    }
}

/// Counts the calls that reach it.
final class CallCounter: ServerInterceptor {
    private let calls = Atomic<Int>(0)
    var count: Int { calls.load(ordering: .relaxed) }

    func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        calls.wrappingAdd(1, ordering: .relaxed)
        return try await next(call)
    }
}
