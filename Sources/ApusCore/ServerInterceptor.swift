// SPDX-License-Identifier: Apache-2.0

/// One policy of a server's calls: it sees each call before its handler and may change it, answer it or refuse it.
public protocol ServerInterceptor: Sendable {
    /// Handles one call. `next` returns when the handler has ended; it throws what the handler threw.
    func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse
}

/// What a handler returns: its one message, or none if it wrote a stream.
public struct ServerResponse: Sendable {
    /// The message of a method with one response; nil after a streamed response.
    public var message: MessageBytes?

    /// A response.
    @inlinable
    public init(message: MessageBytes?) { self.message = message }
}

/// The rest of a server behind an interceptor.
public struct ServerNext: Sendable {
    let interceptors: [any ServerInterceptor]
    let index: Int
    let route: Route

    /// Passes the call to the next interceptor, or to the handler behind the last.
    public func callAsFunction(_ call: ServerCall) async throws -> ServerResponse {
        guard index < interceptors.count else { return try await route.handler(call) }
        let next = ServerNext(interceptors: interceptors, index: index + 1, route: route)
        return try await interceptors[index].intercept(call, next: next)
    }
}
