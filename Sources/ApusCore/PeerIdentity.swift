// SPDX-License-Identifier: Apache-2.0

/// Who is on the other side of a TLS connection, as its verified certificate says.
///
/// A value of one word: calls carry it for nothing.
public struct PeerIdentity: Sendable {
    private final class Box: Sendable {
        let subject: String
        let commonName: String?
        let names: Names
        let fingerprint: String

        init(subject: String, commonName: String?, names: Names, fingerprint: String) {
            self.subject = subject
            self.commonName = commonName
            self.names = names
            self.fingerprint = fingerprint
        }
    }

    /// The subject alternative names of a certificate. Source: RFC 5280, section 4.2.1.6.
    public struct Names: Sendable, Hashable {
        /// DNS names, which may begin with `*.`.
        public var dns: [String] = []
        /// IP addresses in their usual spelling.
        public var ip: [String] = []
        /// URIs.
        public var uri: [String] = []
        /// E-mail addresses.
        public var email: [String] = []

        /// No names.
        public init() {}
    }

    private let box: Box

    /// An identity; handlers' tests make their own.
    ///
    /// - Parameters:
    ///   - subject: the distinguished name in the order of RFC 2253, such as `CN=ada,O=Example`.
    ///   - fingerprint: SHA-256 of the certificate, in lower-case hexadecimal digits.
    public init(subject: String, commonName: String? = nil, names: Names = Names(), fingerprint: String = "") {
        box = Box(subject: subject, commonName: commonName, names: names, fingerprint: fingerprint)
    }

    /// The subject's distinguished name in the order of RFC 2253, such as `CN=ada,O=Example`.
    public var subject: String { box.subject }
    /// The subject's common name, the last one when there are several.
    public var commonName: String? { box.commonName }
    /// The subject alternative names.
    public var names: Names { box.names }
    /// SHA-256 of the certificate, in lower-case hexadecimal digits.
    public var fingerprint: String { box.fingerprint }

    /// The SPIFFE identity, such as `spiffe://example.org/users`.
    ///
    /// Nil unless the certificate has exactly one URI, and that is one. Source: X509-SVID, section 2.
    public var spiffeID: String? {
        guard names.uri.count == 1, let uri = names.uri.first, uri.hasPrefix("spiffe://") else { return nil }
        return uri
    }
}

extension PeerIdentity: Hashable {
    /// Whether both are the same certificate's, or say the same where there is none.
    public static func == (left: PeerIdentity, right: PeerIdentity) -> Bool {
        left.fingerprint == right.fingerprint && left.subject == right.subject && left.names == right.names
    }

    /// Hashes what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(fingerprint)
        hasher.combine(subject)
        hasher.combine(names)
    }
}

extension PeerIdentity: CustomStringConvertible {
    /// The SPIFFE identity, else the subject.
    public var description: String { spiffeID ?? subject }
}
