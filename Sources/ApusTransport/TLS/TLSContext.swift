// SPDX-License-Identifier: Apache-2.0

import ApusCore
import COpenSSL

/// One `SSL_CTX`: what many connections share. Sendable: never changed after its initializer, and OpenSSL locks what
/// it changes itself.
final class TLSContext: @unchecked Sendable {
    let handle: OpaquePointer
    let roots: [TLSMaterial.Text]
    private(set) var keyLog: KeyLog?
    /// A client's sessions; nil on a server.
    let sessions: SessionCache?
    /// The first certificate of the chain.
    private(set) var certificate: Certificate?
    /// A server's further certificates, each in a context of its own, as OpenSSL wants it.
    private(set) var alternatives: [TLSContext] = []

    private init(_ minimum: TLSVersion, roots: [TLSMaterial.Text], sessions: SessionCache?) throws(RPCError) {
        guard let handle = SSL_CTX_new(TLS_method()) else {
            throw RPCError(.internal, "no TLS: \(OpenSSLError.text())")
        }
        self.handle = handle
        self.roots = roots
        self.sessions = sessions
        let oldest = minimum == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        try OpenSSLError.check(apus_SSL_CTX_set_min_proto_version(handle, oldest) == 1, "no TLS")
        SSL_CTX_set_options(handle, apus_SSL_options())
        // Idle connections hold no buffers; a write may be tried again from another address.
        _ = apus_SSL_CTX_set_mode(handle, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        // RFC 9113, section 9.2.2: with TLS 1.2, ephemeral keys and authenticated encryption only.
        let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"
        try OpenSSLError.check(SSL_CTX_set_cipher_list(handle, ciphers) == 1, "no cipher for TLS 1.2")
        TLSCallbacks.install(on: handle)
    }

    deinit { SSL_CTX_free(handle) }

    /// What a channel's connections share.
    ///
    /// - Throws: INVALID_ARGUMENT for certificates, keys or roots that cannot be used.
    static func client(_ options: ClientTLS, _ material: TLSMaterial) throws(RPCError) -> TLSContext {
        let context = try TLSContext(options.minimumVersion, roots: material.roots, sessions: SessionCache())
        if let path = options.keyLogFile { try context.logKeys(KeyLog(path, report: options.onEvent)) }
        if let pair = material.certificates.first { try context.use(pair) }
        if options.verification == .full {
            try context.trust(options.roots, material.roots)
            SSL_CTX_set_verify(context.handle, SSL_VERIFY_PEER, TLSCallbacks.verify)
        }
        // RFC 7301: the list of protocols, each behind its length.
        let h2: [UInt8] = [2, 0x68, 0x32]
        try OpenSSLError.check(SSL_CTX_set_alpn_protos(context.handle, h2, 3) == 0, "no ALPN")
        TLSCallbacks.keepSessions(on: context.handle)
        return context
    }

    /// What a server's connections share.
    ///
    /// - Parameter previous: the context that this one replaces: clients go on resuming its sessions.
    /// - Throws: INVALID_ARGUMENT for certificates, keys or roots that cannot be used.
    static func server(
        _ options: ServerTLS, _ material: TLSMaterial, previous: TLSContext?
    ) throws(RPCError) -> TLSContext {
        guard let first = material.certificates.first else {
            throw RPCError(.invalidArgument, "TLS needs a certificate: ServerTLS has none")
        }
        let context = try server(options, first, material.roots)
        if let path = options.keyLogFile { try context.logKeys(KeyLog(path, report: options.onEvent)) }
        for pair in material.certificates.dropFirst() {
            let alternative = try server(options, pair, material.roots)
            alternative.keyLog = context.keyLog
            if context.keyLog != nil { TLSCallbacks.logKeys(on: alternative.handle) }
            context.alternatives.append(alternative)
        }
        // Not after the roots changed: a session says that a client was verified by the old ones.
        if let previous, previous.roots == context.roots { context.takeTicketKeys(of: previous) }
        return context
    }

    private static func server(
        _ options: ServerTLS, _ pair: TLSMaterial.Pair, _ roots: [TLSMaterial.Text]
    ) throws(RPCError) -> TLSContext {
        let context = try TLSContext(options.minimumVersion, roots: roots, sessions: nil)
        try context.use(pair)
        if let clientRoots = options.clients.roots {
            try context.trust(clientRoots, roots, announced: true)
            var mode = SSL_VERIFY_PEER
            if case .required = options.clients { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
            SSL_CTX_set_verify(context.handle, mode, TLSCallbacks.verify)
        }
        // Tickets hold the sessions, no table here does. With client certificates, OpenSSL wants a name for them.
        _ = apus_SSL_CTX_set_session_cache_mode(context.handle, Int(SSL_SESS_CACHE_OFF))
        let name = Array("apus".utf8)
        try OpenSSLError.check(
            SSL_CTX_set_session_id_context(context.handle, name, UInt32(name.count)) == 1, "no sessions")
        TLSCallbacks.installServer(on: context.handle)
        return context
    }

    /// The context with the certificate for a name; nil to stay with this one.
    func alternative(for name: UnsafePointer<CChar>) -> TLSContext? {
        if certificate?.covers(name) == true { return nil }
        return alternatives.first { $0.certificate?.covers(name) == true }
    }

    private func logKeys(_ log: KeyLog) {
        keyLog = log
        TLSCallbacks.logKeys(on: handle)
    }

    private func use(_ pair: TLSMaterial.Pair) throws(RPCError) {
        let chain = try PEM.certificates(pair.chain.bytes, pair.chain.name)
        let key = try PEM.privateKey(pair.privateKey.bytes, pair.privateKey.name)
        guard let leaf = chain.first else { return }
        guard X509_check_private_key(leaf.handle, key.handle) == 1 else {
            OpenSSLError.clear()
            throw RPCError(
                .invalidArgument, "the private key of \(pair.privateKey.name) does not belong to \(pair.chain.name)")
        }
        var ok = SSL_CTX_use_certificate(handle, leaf.handle) == 1 && SSL_CTX_use_PrivateKey(handle, key.handle) == 1
        for authority in chain.dropFirst() where ok {
            ok = apus_SSL_CTX_add1_chain_cert(handle, authority.handle) == 1
        }
        guard ok else {
            throw RPCError(.invalidArgument, "cannot use \(pair.chain.name): \(OpenSSLError.text())")
        }
        certificate = leaf
    }

    // `announced`: clients are told whose certificates they may show.
    private func trust(
        _ roots: TLSRoots, _ texts: [TLSMaterial.Text], announced: Bool = false
    ) throws(RPCError) {
        if case .system = roots {
            return try OpenSSLError.check(
                SSL_CTX_set_default_verify_paths(handle) == 1, "the system's authorities cannot be read")
        }
        let store = SSL_CTX_get_cert_store(handle)
        for text in texts {
            for authority in try PEM.certificates(text.bytes, text.name) {
                try OpenSSLError.check(X509_STORE_add_cert(store, authority.handle) == 1, "cannot trust \(text.name)")
                if announced { SSL_CTX_add_client_CA(handle, authority.handle) }
            }
        }
    }

    private func takeTicketKeys(of other: TLSContext) {
        // A null pointer asks for the size.
        let size = apus_SSL_CTX_get_tlsext_ticket_keys(handle, nil, 0)
        var keys = [UInt8](repeating: 0, count: max(0, size))
        guard apus_SSL_CTX_get_tlsext_ticket_keys(other.handle, &keys, size) == 1 else { return }
        _ = apus_SSL_CTX_set_tlsext_ticket_keys(handle, &keys, size)
        OPENSSL_cleanse(&keys, keys.count)
    }
}
