// SPDX-License-Identifier: Apache-2.0

package import ApusCore
package import ApusHTTP2

/// The two ends of a byte stream, as a connection sees its own: a socket, or a pipe in memory. Loop only.
package protocol ConnectionIO: AnyObject {
    /// Who is on the other side.
    var peer: Endpoint.Address { get }

    /// Where this side is; nil when nobody knows, as for pipes in memory.
    var local: Endpoint.Address? { get }

    /// How the stream is encrypted; nil when it is not.
    var security: ConnectionSecurity? { get }

    /// Who the other side is, as its verified certificate says.
    var peerIdentity: PeerIdentity? { get }

    /// Begins to report bytes to `handler`, which is kept alive until it was told of the end.
    func start(_ handler: any ConnectionIOHandler)

    /// Takes all of `output`, which is empty afterwards.
    ///
    /// - Returns: whether everything left at once. If not, write no more until the handler's `ioDrained()`.
    func write(_ output: OutputBuffer) -> Bool

    /// Stops reporting bytes, or goes on with it.
    func setReading(_ reading: Bool)

    /// Closes the stream once what was taken has been written, or after a while; the handler is told of no more.
    func close()

    /// As ``close()``, for a peer that broke the rules: the socket is closed after a while in which nothing is read. So
    /// the peer can read why, where a reset would take that away from it; and who would go on at full speed on a new
    /// connection is held up first.
    func closeOnOffender()

    /// Takes no more than about so many bytes in one turn, so that other connections get theirs.
    func limitTurn(to bytes: Int)
}

extension ConnectionIO {
    package var peerIdentity: PeerIdentity? { nil }
    package var local: Endpoint.Address? { nil }
    package var security: ConnectionSecurity? { nil }
    package func closeOnOffender() { close() }
    package func limitTurn(to bytes: Int) {}
}

/// What operators want to know of a connection's TLS.
package struct ConnectionSecurity: Sendable, Hashable {
    /// The name of the cipher suite in IANA's list, such as `TLS_AES_128_GCM_SHA256`.
    package var cipherSuite: String
    /// The certificate that this side shows, in DER; empty for none.
    package var localCertificate: [UInt8]
    /// The certificate that the other side showed, in DER; empty for none.
    package var remoteCertificate: [UInt8]
}

/// What a byte stream reports. Loop only.
package protocol ConnectionIOHandler: AnyObject {
    /// Bytes arrived; valid during the call.
    func ioReceived(_ bytes: UnsafeRawBufferPointer)
    /// Everything that was taken has left.
    func ioDrained()
    /// The stream ended; `reason` is what people should read. Nothing is reported after this.
    func ioEnded(_ reason: String)
}
