// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import COpenSSL

/// An authority that lives in a test and issues certificates that nobody else trusts.
///
/// ```swift
/// let authority = try TLSTestAuthority()
/// serverOptions.tls = ServerTLS(try authority.issue(dns: ["localhost"]), clients: .required(authority.roots))
/// clientOptions.tls = ClientTLS(roots: authority.roots, certificate: try authority.issue(uri: ["spiffe://a/b"]))
/// ```
public final class TLSTestAuthority: Sendable {
    private let certificate: Certificate
    private let key: PrivateKey
    /// The authority's certificate in PEM.
    public let pem: String

    /// An authority with a key of its own (P-256), valid for a day.
    ///
    /// - Throws: INTERNAL when OpenSSL cannot do it.
    public init(_ name: String = "Apus test authority") throws(RPCError) {
        key = try Self.makeKey()
        let builder = try CertificateBuilder(commonName: name, key: key)
        try builder.setValidity(from: .seconds(-3600), for: .seconds(86_400))
        try builder.add(NID_basic_constraints, "critical,CA:TRUE")
        try builder.add(NID_key_usage, "critical,keyCertSign,cRLSign")
        let certificate = try builder.sign(issuer: nil, with: key)
        self.certificate = certificate
        pem = try Self.text { PEM_write_bio_X509($0, certificate.handle) }
    }

    /// The authority as what to trust.
    public var roots: TLSRoots { .pem(pem) }

    /// A certificate for servers and clients, with a new key.
    ///
    /// - Parameters:
    ///   - commonName: the subject.
    ///   - dns: the DNS names that it is for.
    ///   - ip: the IP addresses that it is for.
    ///   - uri: the URIs that it is for, such as a SPIFFE identity.
    ///   - start: when it becomes valid, seen from now.
    ///   - lifetime: how long it is valid from then on.
    /// - Throws: INTERNAL when OpenSSL cannot do it, as for a name that is none.
    public func issue(
        commonName: String = "test", dns: [String] = [], ip: [String] = [], uri: [String] = [],
        from start: Duration = .seconds(-3600), for lifetime: Duration = .seconds(86_400)
    ) throws(RPCError) -> TLSCertificate {
        let own = try Self.makeKey()
        let builder = try CertificateBuilder(commonName: commonName, key: own)
        try builder.setValidity(from: start, for: lifetime)
        try builder.add(NID_basic_constraints, "critical,CA:FALSE")
        try builder.add(NID_ext_key_usage, "serverAuth,clientAuth")
        let names = dns.map { "DNS:\($0)" } + ip.map { "IP:\($0)" } + uri.map { "URI:\($0)" }
        if !names.isEmpty { try builder.add(NID_subject_alt_name, names.joined(separator: ",")) }
        let leaf = try builder.sign(issuer: certificate, with: key)
        return .pem(
            chain: try Self.text { PEM_write_bio_X509($0, leaf.handle) },
            privateKey: try Self.text { PEM_write_bio_PrivateKey($0, own.handle, nil, nil, 0, nil, nil) })
    }

    private static func makeKey() throws(RPCError) -> PrivateKey {
        guard let key = apus_EVP_EC_gen("P-256") else {
            throw RPCError(.internal, "no key can be made: \(OpenSSLError.text())")
        }
        return PrivateKey(adopting: key)
    }

    private static func text(_ write: (OpaquePointer?) -> Int32) throws(RPCError) -> String {
        let buffer = BIO_new(BIO_s_mem())
        defer { BIO_free(buffer) }
        try OpenSSLError.check(write(buffer) == 1, "no PEM can be written")
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(buffer))
        let count = BIO_read(buffer, &bytes, Int32(clamping: bytes.count))
        return String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self)
    }
}

/// One `X509` that is being made.
private final class CertificateBuilder {
    private let handle: OpaquePointer

    init(commonName: String, key: PrivateKey) throws(RPCError) {
        guard let handle = X509_new() else {
            throw RPCError(.internal, "no certificate can be made: \(OpenSSLError.text())")
        }
        self.handle = handle
        X509_set_version(handle, 2)
        var serial = SplitMixRandom.shared.next() >> 1
        if serial == 0 { serial = 1 }
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(handle), serial)
        let name = Array(commonName.utf8)
        let subject = X509_get_subject_name(handle)
        try check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, Int32(clamping: name.count), -1, 0))
        try check(X509_set_pubkey(handle, key.handle))
    }

    deinit { X509_free(handle) }

    func setValidity(from start: Duration, for lifetime: Duration) throws(RPCError) {
        let begin = Int(clamping: start.components.seconds)
        let end = Int(clamping: (start + lifetime).components.seconds)
        guard X509_gmtime_adj(X509_getm_notBefore(handle), begin) != nil,
            X509_gmtime_adj(X509_getm_notAfter(handle), end) != nil
        else { throw RPCError(.internal, "no certificate can be valid then") }
    }

    func add(_ kind: Int32, _ value: String) throws(RPCError) {
        var context = X509V3_CTX()
        apus_X509V3_set_ctx_nodb(&context)
        X509V3_set_ctx(&context, nil, handle, nil, nil, 0)
        guard let entry = X509V3_EXT_conf_nid(nil, &context, kind, value) else {
            throw RPCError(.internal, "\(value) cannot be in a certificate: \(OpenSSLError.text())")
        }
        defer { X509_EXTENSION_free(entry) }
        try check(X509_add_ext(handle, entry, -1))
    }

    /// Signed, by itself without an issuer.
    func sign(issuer: Certificate?, with key: PrivateKey) throws(RPCError) -> Certificate {
        let name = X509_get_subject_name(issuer?.handle ?? handle)
        try check(X509_set_issuer_name(handle, name))
        try OpenSSLError.check(X509_sign(handle, key.handle, EVP_sha256()) > 0, "no certificate can be signed")
        return Certificate(sharing: handle)
    }

    private func check(_ result: Int32) throws(RPCError) {
        try OpenSSLError.check(result == 1, "no certificate can be made")
    }
}
