// SPDX-License-Identifier: Apache-2.0

extension Channel {
    /// What the channel knows of its way to the service.
    ///
    /// Ready while one endpoint is connected; else connecting, idle, or in transient failure when the last connection
    /// to every endpoint that was tried has failed; shutdown once the channel was closed. The states of several
    /// endpoints and event loops are put together as gRPC's balancers do it. A channel that made no call yet is idle,
    /// and so is one whose connections were closed for want of calls.
    public var state: ConnectivityState { connectivity.current }

    /// The present state, then every change, in order; it ends after ``ConnectivityState/shutdown``.
    ///
    /// A reader that lags more than 16 changes behind misses the oldest of them, never the last. Each sequence is for
    /// one reader; get another for another. Watching connects nothing: see ``connect()``.
    ///
    /// ```swift
    /// try await channel.connect()
    /// for await state in channel.states where state == .ready { break }
    /// ```
    public var states: ConnectivityStates { ConnectivityStates(connectivity.watch()) }

    /// Leaves the idle state: chooses an endpoint as for a call and begins to connect to it. Returns at once when a
    /// connection is there or being made; ``states`` tells what becomes of it.
    ///
    /// Only interceptors that choose where calls go (``RoutingInterceptor``) are asked.
    ///
    /// - Throws: why no endpoint could be chosen.
    public func connect() async throws(RPCError) {
        let call = ClientCall(method: Self.connectMethod, target: name, request: .one(MessageBytes([])))
        do {
            _ = try await routing(call)
        } catch {
            throw RPCError(wrapping: error)
        }
    }

    // Seen by routing interceptors, never sent.
    private static let connectMethod = MethodDescriptor(service: "", name: "connect", kind: .unary)
}

extension ClientCall {
    /// Whether the call ends in a connection, by ``Channel/connect()``: there is nothing to measure, and behind the
    /// balancers no way to a server.
    package var onlyConnects: Bool { method.service.isEmpty }
}

/// The end of a channel's list for calls that only connect.
final class ConnectingTransport: ClientTransport {
    private let inner: any ClientTransport

    init(_ inner: any ClientTransport) { self.inner = inner }

    func start(_ call: ClientCall) async throws -> ClientResponse {
        guard let endpoint = call.endpoint else {
            throw RPCError(
                .internal, "no endpoint was chosen to connect to: end the channel's interceptors with a balancer")
        }
        try inner.connect(to: endpoint)
        return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
    }

    func connect(to endpoint: EndpointHandle) throws(RPCError) { try inner.connect(to: endpoint) }

    // The channel closes the inner one itself.
    func close() {}

    func runBlocking(_ body: @escaping @Sendable () async -> Void) throws(RPCError) { try inner.runBlocking(body) }
}
