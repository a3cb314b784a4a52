// SPDX-License-Identifier: Apache-2.0

/// TLS as a server speaks it: 1.2 or 1.3, HTTP/2 by ALPN.
///
/// ```swift
/// var options = ServerOptions()
/// options.tls = ServerTLS(.files(chain: "server.pem", privateKey: "server.key"))
/// ```
///
/// Files that change are read again without a restart; connections that are open go on.
public struct ServerTLS: Sendable {
    /// What a server wants of its clients.
    public enum ClientCertificates: Sendable, Hashable {
        /// Nothing.
        case ignored
        /// A client may show a certificate; then one of these authorities must have signed it.
        case optional(TLSRoots)
        /// A client must show a certificate that one of these authorities signed.
        case required(TLSRoots)

        var roots: TLSRoots? {
            switch self {
            case .ignored: nil
            case .optional(let roots), .required(let roots): roots
            }
        }
    }

    /// The server's certificates: the first that is for the name a client asks for (SNI), else the first of all.
    public var certificates: [TLSCertificate]
    /// What clients must show; handlers see it as `ServerCall.peerIdentity`.
    public var clients = ClientCertificates.ignored
    /// The oldest version of TLS that is spoken.
    public var minimumVersion = TLSVersion.tls12
    /// The time that a client has for the whole handshake, its wait for a turn included.
    public var handshakeTimeout = Duration.seconds(10)
    /// Handshakes that go on at once. Four times as many wait for their turn; connections above that are closed.
    public var maximumHandshakes = 256
    /// How often files are looked at for changes, when connections are made.
    public var reloadInterval = Duration.seconds(10)
    /// A file to which secrets are appended with which others can decrypt the connections (`SSLKEYLOGFILE`'s form).
    public var keyLogFile: String?
    /// Told of handshakes that failed, files that changed and a key log that is full; called on any thread.
    public var onEvent: (@Sendable (TLSEvent) -> Void)?

    /// TLS with the given certificates, at least one.
    public init(_ certificates: TLSCertificate..., clients: ClientCertificates = .ignored) {
        self.certificates = certificates
        self.clients = clients
    }
}
