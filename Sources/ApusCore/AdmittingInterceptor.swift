// SPDX-License-Identifier: Apache-2.0

/// A server's interceptor that can refuse calls when their headers are there, before their message is read.
///
/// A call that is admitted meets ``ServerInterceptor/intercept(_:next:)`` later, or never, when its client gives up:
/// admission looks, and takes nothing that would have to be given back.
public protocol AdmittingInterceptor: ServerInterceptor {
    /// Looks at a call that has just begun. On its connection's loop: be quick.
    ///
    /// - Throws: the error that the call ends with.
    func admit(_ head: ServerCallHead) throws(RPCError)
}

/// What is known of a call when only its headers have arrived.
public struct ServerCallHead: Sendable {
    /// The method.
    public let method: MethodDescriptor
    /// The metadata that came with the call.
    public let metadata: Metadata
    /// The address of the client's end of the connection.
    public let peer: Endpoint.Address
    /// Who the client is, as its verified certificate says; nil without one.
    public let peerIdentity: PeerIdentity?

    /// The head of a call.
    public init(
        method: MethodDescriptor, metadata: Metadata, peer: Endpoint.Address, peerIdentity: PeerIdentity? = nil
    ) {
        self.method = method
        self.metadata = metadata
        self.peer = peer
        self.peerIdentity = peerIdentity
    }
}
