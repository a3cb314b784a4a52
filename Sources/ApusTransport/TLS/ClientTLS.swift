// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// TLS as a channel speaks it: 1.2 or 1.3, HTTP/2 by ALPN, and a server that proves its name.
///
/// ```swift
/// var options = TransportOptions()
/// options.tls = ClientTLS()                              // the system's authorities
/// options.tls = ClientTLS(roots: .file("company.pem"))   // our own and no others
/// ```
public struct ClientTLS: Sendable {
    /// How much a server has to prove.
    public enum Verification: Sendable, Hashable {
        /// A trusted authority signed its certificate, which is valid now and for the server's name.
        case full
        /// Nothing: anybody on the way can read and change every call. For experiments only.
        case dangerouslyAcceptAnyCertificate
    }

    /// The authorities that may sign servers' certificates.
    public var roots: TLSRoots
    /// What a server must prove.
    public var verification = Verification.full
    /// The certificate shown to servers that ask for one.
    public var certificate: TLSCertificate?
    /// The name that servers must have a certificate for, sent as SNI and `:authority`; nil takes the endpoint's host.
    public var serverName: String?
    /// The oldest version of TLS that is spoken.
    public var minimumVersion = TLSVersion.tls12
    /// The time that a server has for the whole handshake.
    public var handshakeTimeout = Duration.seconds(10)
    /// How often files are looked at for changes, when connections are made.
    public var reloadInterval = Duration.seconds(10)
    /// A file to which secrets are appended with which others can decrypt the connections (`SSLKEYLOGFILE`'s form).
    public var keyLogFile: String?
    /// Told of files that changed and a key log that is full; called on any thread.
    public var onEvent: (@Sendable (TLSEvent) -> Void)?

    /// TLS that trusts the given authorities.
    public init(roots: TLSRoots = .system, certificate: TLSCertificate? = nil, serverName: String? = nil) {
        self.roots = roots
        self.certificate = certificate
        self.serverName = serverName
    }

    /// Whom to ask for behind an address.
    func serverName(for address: Endpoint.Address) -> String {
        if let serverName { return serverName }
        switch address {
        case .host(let host, _): return host
        case .memory(let name): return name
        case .unix, .unixAbstract: return "localhost"
        }
    }

    /// The `:authority` of calls to an address.
    package func authority(for address: Endpoint.Address) -> String {
        if case .host = address, serverName == nil { return "\(address)" }
        return serverName(for: address)
    }
}

/// A version of TLS.
public enum TLSVersion: Sendable, Hashable {
    /// RFC 5246, with ephemeral keys and authenticated encryption only.
    case tls12
    /// RFC 8446.
    case tls13
}
