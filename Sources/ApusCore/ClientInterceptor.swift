// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One policy of a channel's calls: it sees each call before a peer is chosen and may change it, answer it, refuse it,
/// or call `next` as often as it likes.
///
/// ```swift
/// struct Tag: ClientInterceptor {
///     func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
///         var call = call
///         call.metadata.add("x-tag", "7")
///         return try await next(call)
///     }
/// }
/// ```
public protocol ClientInterceptor: Sendable {
    /// Handles one call. Errors are `RPCError`s; anything else is wrapped before the caller sees it.
    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse
}

/// A marker for interceptors that try again: a channel that has one leaves transparent retry to it.
public protocol RetryingInterceptor: ClientInterceptor {}

/// A marker for interceptors that choose where calls go, such as discovery and balancers: ``Channel/connect()`` asks
/// them, and no others, where to connect to.
public protocol RoutingInterceptor: ClientInterceptor {}

/// The rest of a channel behind an interceptor.
public struct ClientNext: Sendable {
    // One pointer and an index: passing it on allocates nothing.
    let stack: ClientStack
    let index: Int

    /// Whether the channel was closed: another try cannot succeed.
    public var isClosed: Bool { stack.isClosed }

    /// Sends the call to the next interceptor, or to the transport behind the last.
    public func callAsFunction(_ call: ClientCall) async throws -> ClientResponse {
        guard index < stack.interceptors.count else {
            guard let record = call.observation, record.isMeasured else { return try await stack.transport.start(call) }
            return try await stack.observedTry(call, record)
        }
        return try await stack.interceptors[index].intercept(call, next: ClientNext(stack: stack, index: index + 1))
    }
}

/// A channel's interceptors with the transport they end in.
final class ClientStack: Sendable {
    let interceptors: [any ClientInterceptor]
    let transport: any ClientTransport
    private let closed = Atomic<Bool>(false)

    init(_ interceptors: [any ClientInterceptor], _ transport: any ClientTransport) {
        self.interceptors = interceptors
        self.transport = transport
    }

    var isClosed: Bool { closed.load(ordering: .relaxed) }

    func close() { closed.store(true, ordering: .relaxed) }

    var first: ClientNext { ClientNext(stack: self, index: 0) }
}
