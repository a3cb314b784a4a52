// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import COpenSSL

/// One end of a TLS connection without I/O: ciphertext in, plaintext out, and the reverse.
///
/// Wraps one `SSL`, which reads from `input` and writes to `output` while one of the methods runs, and keeps no bytes
/// of its own in between but those of a record that is not whole yet. Confined to one thread.
final class TLSEngine {
    /// How a handshake stands.
    enum Handshake {
        case needsInput
        case established
        case failed(String)
    }

    /// Where decrypting stopped.
    enum Stop {
        case needsInput
        /// The buffer is full.
        case full
        /// The peer said that nothing more will come.
        case closed
        case failed(String)
    }

    let context: TLSContext
    private let ssl: OpaquePointer
    private let isServer: Bool
    /// The name that a server must have a certificate for; empty on a server.
    private let serverName: String
    private let sessionKey: String
    private var keyUpdates: KeyUpdateBudget
    private var keyLifetime = KeyLifetime()
    private var now: MonotonicInstant
    private var isEstablished = false
    private var isFlooded = false
    private var hasFailed = false
    private var verificationFailure: String?

    // What OpenSSL reads from and writes to while a method runs. Unchecked: one thread, and plain values.
    @exclusivity(unchecked) private var input = UnsafeRawBufferPointer(start: nil, count: 0)
    @exclusivity(unchecked) private var output: OutputBuffer?

    /// A server's end.
    convenience init(server context: TLSContext, now: MonotonicInstant) throws(RPCError) {
        try self.init(context, isServer: true, serverName: "", sessionKey: "", now: now)
        SSL_set_accept_state(ssl)
    }

    /// A client's end.
    ///
    /// - Parameters:
    ///   - serverName: a host name or an IP address, without port.
    ///   - address: where the server is: sessions are resumed at the same place only.
    convenience init(
        client context: TLSContext, serverName: String, address: Endpoint.Address, now: MonotonicInstant
    ) throws(RPCError) {
        try self.init(
            context, isServer: false, serverName: serverName, sessionKey: "\(serverName) at \(address)", now: now)
        SSL_set_connect_state(ssl)
        try expect(serverName)
        if let session = context.sessions?.take(for: sessionKey) { SSL_set_session(ssl, session.handle) }
    }

    private init(
        _ context: TLSContext, isServer: Bool, serverName: String, sessionKey: String, now: MonotonicInstant
    ) throws(RPCError) {
        OpenSSLError.clear()
        guard let ssl = SSL_new(context.handle) else {
            throw RPCError(.internal, "no TLS connection: \(OpenSSLError.text())")
        }
        self.context = context
        self.ssl = ssl
        self.isServer = isServer
        self.serverName = serverName
        self.sessionKey = sessionKey
        self.now = now
        keyUpdates = KeyUpdateBudget(now: now)
        TLSCallbacks.attach(self, to: ssl)
        guard let bio = EngineBIO.make(for: self) else {
            throw RPCError(.internal, "no TLS connection: \(OpenSSLError.text())")
        }
        // One reference for both directions. Source: SSL_set_bio(3).
        SSL_set_bio(ssl, bio, bio)
    }

    deinit { SSL_free(ssl) }

    // RFC 6066, section 3: names only, without the final dot. Verified by SSL_CTX_set_verify's mode.
    private func expect(_ name: String) throws(RPCError) {
        let parameters = SSL_get0_param(ssl)
        let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        X509_VERIFY_PARAM_set_hostflags(parameters, flags)
        if let address = SocketAddress(host: name, port: 0) {
            return try OpenSSLError.check(
                X509_VERIFY_PARAM_set1_ip_asc(parameters, address.host) == 1, "\(name) cannot be verified")
        }
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        guard !name.isEmpty, name.utf8.count <= 255, !name.utf8.contains(0) else {
            throw RPCError(.invalidArgument, "\"\(name)\" is no server name")
        }
        try OpenSSLError.check(
            X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1
                && apus_SSL_set_tlsext_host_name(ssl, name) == 1, "\(name) cannot be verified")
    }

    // MARK: Bytes

    /// Goes on with the handshake; takes from `input` what it needs.
    func handshake(
        _ input: inout UnsafeRawBufferPointer, _ output: OutputBuffer, now: MonotonicInstant
    ) -> Handshake {
        run(&input, output, now) {
            let result = SSL_do_handshake(ssl)
            if result == 1 { return finishHandshake() }
            return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ ? .needsInput : .failed(failure())
        }
    }

    /// Decrypts into `buffer` until it is full or `input` is used up.
    func decrypt(
        _ input: inout UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, _ output: OutputBuffer,
        now: MonotonicInstant
    ) -> (count: Int, stop: Stop) {
        run(&input, output, now) {
            var filled = 0
            while filled < buffer.count {
                var count = 0
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                let result = SSL_read_ex(ssl, rest.baseAddress, rest.count, &count)
                guard result == 1 else { return (filled, stop(SSL_get_error(ssl, result))) }
                filled += count
            }
            return (filled, .full)
        }
    }

    /// Encrypts `bytes`, which need not be one record.
    ///
    /// - Returns: false when the connection has failed.
    func encrypt(_ bytes: UnsafeRawBufferPointer, _ output: OutputBuffer, now: MonotonicInstant) -> Bool {
        guard !bytes.isEmpty, !hasFailed else { return !hasFailed }
        var none = UnsafeRawBufferPointer(start: nil, count: 0)
        return run(&none, output, now) {
            // TLS 1.3 alone has new keys under way; the message goes in front of the next record.
            if keyLifetime.wears(by: bytes.count), SSL_version(ssl) == TLS1_3_VERSION {
                SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED)
            }
            var count = 0
            hasFailed = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count) != 1
            return !hasFailed
        }
    }

    /// Says that nothing more will come: close_notify.
    func shutDown(_ output: OutputBuffer, now: MonotonicInstant) {
        guard isEstablished, !hasFailed else { return }
        var none = UnsafeRawBufferPointer(start: nil, count: 0)
        run(&none, output, now) { _ = SSL_shutdown(ssl) }
    }

    private func run<R>(
        _ input: inout UnsafeRawBufferPointer, _ output: OutputBuffer, _ now: MonotonicInstant, _ body: () -> R
    ) -> R {
        self.input = input
        self.output = output
        self.now = now
        defer {
            input = self.input
            self.input = UnsafeRawBufferPointer(start: nil, count: 0)
            self.output = nil
        }
        OpenSSLError.clear()
        return body()
    }

    // MARK: Results

    private func finishHandshake() -> Handshake {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        guard UnsafeBufferPointer(start: name, count: Int(count)).elementsEqual("h2".utf8) else {
            return .failed("the \(peerRole) does not speak HTTP/2 (ALPN)")
        }
        isEstablished = true
        return .established
    }

    private func stop(_ error: Int32) -> Stop {
        switch error {
        case SSL_ERROR_WANT_READ: isFlooded ? .failed(failure()) : .needsInput
        case SSL_ERROR_ZERO_RETURN: .closed
        default: .failed(failure())
        }
    }

    private func failure() -> String {
        hasFailed = true
        let code = OpenSSLError.take()
        if let verificationFailure { return verificationFailure }
        if isFlooded { return "the \(peerRole) sends KeyUpdate messages without end" }
        return TLSFailure.text(code, peer: peerRole)
    }

    private var peerRole: String { isServer ? "client" : "server" }

    /// Whether an earlier session was resumed.
    var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// The spoken version, such as `TLSv1.3`.
    var version: String { String(cString: SSL_get_version(ssl)) }

    /// What was agreed on; nil before the handshake's end. Source: SSL_get_current_cipher(3), SSL_get_certificate(3).
    var security: ConnectionSecurity? {
        guard let cipher = SSL_get_current_cipher(ssl), let name = SSL_CIPHER_standard_name(cipher) else { return nil }
        return ConnectionSecurity(
            cipherSuite: String(cString: name),
            localCertificate: SSL_get_certificate(ssl).map { Certificate(sharing: $0).der } ?? [],
            remoteCertificate: SSL_get1_peer_certificate(ssl).map { Certificate(adopting: $0).der } ?? [])
    }

    /// The verified peer; nil when it showed no certificate.
    var peerIdentity: PeerIdentity? {
        guard SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER != 0, SSL_get_verify_result(ssl) == X509_V_OK else {
            return nil
        }
        return SSL_get1_peer_certificate(ssl).map { Certificate(adopting: $0).identity }
    }
}

// MARK: What OpenSSL calls

extension TLSEngine {
    /// A handshake message arrived; after the handshake, they are few.
    func receivedHandshakeMessage() {
        if isEstablished, !keyUpdates.take(now: now) { isFlooded = true }
    }

    func verificationFailed(_ code: Int32, _ certificate: Certificate?, depth: Int32) {
        guard verificationFailure == nil else { return }
        verificationFailure = VerificationFailure.text(
            code, certificate, depth: depth, expected: serverName, peer: peerRole)
    }

    func receivedSession(_ session: TLSSession) { context.sessions?.put(session, for: sessionKey) }

    /// Fills `buffer` from the input; nil when the connection shall not go on.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard !isFlooded else { return nil }
        let part = UnsafeRawBufferPointer(rebasing: input.prefix(buffer.count))
        buffer.copyMemory(from: part)
        input = UnsafeRawBufferPointer(rebasing: input.dropFirst(part.count))
        return part.count
    }

    func write(_ bytes: UnsafeRawBufferPointer) { output?.append(copying: bytes) }
}
