// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import COpenSSL
import Testing

/// OpenSSL in a test's own hands, to do what Apus never would: old versions, no ALPN, floods.
final class RawTLS {
    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    struct Options {
        var maximum = TLS1_3_VERSION
        var offersHTTP2 = true
        /// Makes it a server.
        var certificate: TLSCertificate?
    }

    init(_ options: Options = Options()) throws {
        context = try #require(SSL_CTX_new(TLS_method()))
        _ = apus_SSL_CTX_set_min_proto_version(context, TLS1_VERSION)
        _ = apus_SSL_CTX_set_max_proto_version(context, options.maximum)
        // Old versions need old signatures.
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0")
        if let certificate = options.certificate { try Self.use(certificate, in: context) }
        ssl = try #require(SSL_new(context))
        input = try #require(BIO_new(BIO_s_mem()))
        output = try #require(BIO_new(BIO_s_mem()))
        SSL_set_bio(ssl, input, output)
        if options.certificate == nil { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
        if options.offersHTTP2 { SSL_set_alpn_protos(ssl, [2, 0x68, 0x32], 3) }
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    private static func use(_ certificate: TLSCertificate, in context: OpaquePointer) throws {
        guard case .bytes(let chain) = certificate.chain, case .bytes(let key) = certificate.privateKey else { return }
        let chainBuffer = BIO_new_mem_buf(chain, Int32(chain.count))
        let keyBuffer = BIO_new_mem_buf(key, Int32(key.count))
        defer {
            BIO_free(chainBuffer)
            BIO_free(keyBuffer)
        }
        let leaf = try #require(PEM_read_bio_X509(chainBuffer, nil, nil, nil))
        let own = try #require(PEM_read_bio_PrivateKey(keyBuffer, nil, nil, nil))
        SSL_CTX_use_certificate(context, leaf)
        SSL_CTX_use_PrivateKey(context, own)
        X509_free(leaf)
        EVP_PKEY_free(own)
    }

    /// Goes on with the handshake; true when it is over.
    @discardableResult
    func handshake() -> Bool {
        ERR_clear_error()
        return SSL_do_handshake(ssl) == 1
    }

    var version: String { String(cString: SSL_get_version(ssl)) }

    func write(_ bytes: [UInt8]) { SSL_write(ssl, bytes, Int32(bytes.count)) }

    /// Sends a KeyUpdate that asks for an answer.
    func updateKeys() {
        SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
        SSL_do_handshake(ssl)
    }

    /// Decrypts what has been delivered.
    func read() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        ERR_clear_error()
        let count = SSL_read(ssl, &bytes, Int32(bytes.count))
        return Array(bytes.prefix(Int(max(0, count))))
    }

    func deliver(_ bytes: [UInt8]) {
        if !bytes.isEmpty { BIO_write(input, bytes, Int32(bytes.count)) }
    }

    func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(output))
        guard !bytes.isEmpty else { return [] }
        BIO_read(output, &bytes, Int32(bytes.count))
        return bytes
    }

    /// Carries the handshake's bytes to and from one end until nothing moves.
    func shakeHands(with end: SecureEnd) {
        repeat {
            deliver(end.wire.takeWritten())
            handshake()
            end.wire.deliver(takeOutput())
        } while !end.wire.written.isEmpty
    }
}
