// SPDX-License-Identifier: Apache-2.0

/// The end of a channel: it takes calls whose endpoint is chosen to their peers.
public protocol ClientTransport: AnyObject, Sendable {
    /// Sends the call to `call.endpoint` and returns at the response's head, or at the whole of a unary answer.
    ///
    /// - Throws: an `RPCError`: the status of a call that failed, or the transport's own with its progress.
    func start(_ call: consuming ClientCall) async throws -> ClientResponse

    /// Closes all connections. Calls in flight end with UNAVAILABLE. Safe to call more than once.
    func close()

    /// Makes a connection to an endpoint if there is none. Returns at once; connectivity tells what becomes of it.
    ///
    /// - Throws: why the transport cannot connect at all.
    func connect(to endpoint: EndpointHandle) throws(RPCError)

    /// The event loop whose thread is calling, if it is the transport's: calls that are started there stay there.
    var currentExecutor: (any TaskExecutor)? { get }

    /// Runs `body` on an event loop and parks the calling thread until it has returned.
    ///
    /// - Throws: FAILED_PRECONDITION on a thread of an event loop, which must never be parked.
    func runBlocking(_ body: @escaping @Sendable () async -> Void) throws(RPCError)
}

/// A transport that tells what it knows of its ways to endpoints.
package protocol ConnectivityReporting: ClientTransport {
    /// The transport's own, for as long as it lives; its channel shuts it down.
    var connectivity: Connectivity { get }
}

extension ClientTransport {
    /// Does nothing.
    public func connect(to endpoint: EndpointHandle) throws(RPCError) {}

    /// None.
    public var currentExecutor: (any TaskExecutor)? { nil }
}
