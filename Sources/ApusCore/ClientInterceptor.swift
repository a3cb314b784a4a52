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
    ///
    /// The call is the interceptor's own: one that passes it on has not copied it.
    func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse
}

/// A marker for interceptors that try again: a channel that has one leaves transparent retry to it.
public protocol RetryingInterceptor: ClientInterceptor {}

/// A marker for interceptors that choose where calls go, such as discovery and balancers: ``Channel/connect()`` asks
/// them, and no others, where to connect to.
public protocol RoutingInterceptor: ClientInterceptor {}

/// The rest of a channel behind an interceptor.
public struct ClientNext: Sendable {
    // One pointer: passing it on allocates nothing.
    @usableFromInline let link: ClientLink?

    @inlinable
    init(_ link: ClientLink?) { self.link = link }

    /// Whether the channel was closed: another try cannot succeed.
    public var isClosed: Bool { link?.channel.isClosed ?? true }

    /// Runs `action` once when the channel closes, at once if it has: for policies that may stand in many channels.
    package func onClose(_ action: @escaping @Sendable () -> Void) {
        guard let link else { return action() }
        link.channel.onClose(action)
    }

    /// Which channel's calls these are. Another channel may have it after this one was released.
    package var channelID: ObjectIdentifier? { link.map { ObjectIdentifier($0.channel) } }

    /// Makes a connection to an endpoint if there is none, as ``ClientTransport/connect(to:)`` does.
    package func connect(to endpoint: EndpointHandle) throws(RPCError) {
        try link?.channel.transport.connect(to: endpoint)
    }

    // Inlined where it is called: each asynchronous layer costs a hundredth of a call.
    /// Sends the call to the next interceptor, or to the transport behind the last.
    @inlinable @inline(__always)
    public func callAsFunction(_ call: consuming ClientCall) async throws -> ClientResponse {
        guard let link else { throw ClientLink.missing }
        return try await link.interceptor.intercept(call, next: ClientNext(link.next))
    }
}

/// One interceptor of a channel, and what is behind it. Immutable, so that nothing is copied or counted to call it.
@usableFromInline
final class ClientLink: Sendable {
    @usableFromInline let interceptor: any ClientInterceptor
    @usableFromInline let next: ClientLink?
    let channel: ClientStack

    init(_ interceptor: any ClientInterceptor, next: ClientLink?, of channel: ClientStack) {
        self.interceptor = interceptor
        self.next = next
        self.channel = channel
    }

    @usableFromInline static var missing: RPCError {
        RPCError(.internal, "a channel ends in its transport", progress: .notConnected)
    }
}

/// What the interceptors of a channel know of it.
final class ClientStack: Sendable {
    let transport: any ClientTransport
    private let closed = Atomic<Bool>(false)
    private let endings = Mutex<[@Sendable () -> Void]>([])

    init(_ transport: any ClientTransport) { self.transport = transport }

    var isClosed: Bool { closed.load(ordering: .relaxed) }

    func close() {
        let actions = endings.withLock { endings in
            closed.store(true, ordering: .relaxed)
            defer { endings = [] }
            return endings
        }
        for action in actions { action() }
    }

    func onClose(_ action: @escaping @Sendable () -> Void) {
        let isLate = endings.withLock { endings in
            if !isClosed { endings.append(action) }
            return isClosed
        }
        if isLate { action() }
    }

    /// What the calls of a channel go through.
    static func make(_ interceptors: [any ClientInterceptor], _ transport: any ClientTransport) -> ClientNext {
        let channel = ClientStack(transport)
        var link = ClientLink(TransportEnd(transport: transport), next: nil, of: channel)
        for interceptor in interceptors.reversed() { link = ClientLink(interceptor, next: link, of: channel) }
        return ClientNext(link)
    }
}

/// The end of a channel's interceptors.
struct TransportEnd: ClientInterceptor {
    let transport: any ClientTransport

    func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard let record = call.observation, record.isMeasured else { return try await transport.start(call) }
        return try await observedTry(call, record)
    }
}
