// SPDX-License-Identifier: Apache-2.0

import ApusCore
import COpenSSL

/// One `EVP_PKEY` with its private half. Sendable: never changed once it is here.
final class PrivateKey: @unchecked Sendable {
    let handle: OpaquePointer

    /// Takes over the reference that the caller has.
    init(adopting handle: OpaquePointer) { self.handle = handle }

    deinit { EVP_PKEY_free(handle) }
}

/// Certificates and keys in PEM, the form of files. Source: RFC 7468.
enum PEM {
    /// All certificates, in order.
    ///
    /// - Parameter name: what people call the text, such as its path.
    /// - Throws: INVALID_ARGUMENT when there is none, or one is damaged.
    static func certificates(_ text: [UInt8], _ name: String) throws(RPCError) -> [Certificate] {
        var found: [Certificate] = []
        OpenSSLError.clear()
        withBuffer(text) { buffer in
            while let handle = PEM_read_bio_X509(buffer, nil, refusePassword, nil) {
                found.append(Certificate(adopting: handle))
            }
        }
        let error = OpenSSLError.take()
        guard ERR_GET_REASON(error) == PEM_R_NO_START_LINE else {
            throw RPCError(.invalidArgument, "\(name): no certificate in PEM: \(OpenSSLError.text(error))")
        }
        guard !found.isEmpty else { throw RPCError(.invalidArgument, "\(name): there is no certificate in it") }
        return found
    }

    /// The first private key.
    ///
    /// - Throws: INVALID_ARGUMENT when there is none, or it is damaged or encrypted.
    static func privateKey(_ text: [UInt8], _ name: String) throws(RPCError) -> PrivateKey {
        // OpenSSL's errors for these two differ from version to version.
        guard says(text, "PRIVATE KEY-----") else {
            throw RPCError(.invalidArgument, "\(name): there is no private key in it")
        }
        if says(text, "ENCRYPTED") {
            throw RPCError(.invalidArgument, "\(name): the private key is encrypted: give it without a password")
        }
        OpenSSLError.clear()
        let handle = withBuffer(text) { PEM_read_bio_PrivateKey($0, nil, refusePassword, nil) }
        if let handle { return PrivateKey(adopting: handle) }
        throw RPCError(.invalidArgument, "\(name): no private key in PEM: \(OpenSSLError.text())")
    }

    // Without the library of regular expressions, which a search in a String would bring into every process.
    private static func says(_ text: [UInt8], _ phrase: String) -> Bool {
        let phrase = Array(phrase.utf8)
        return text.indices.contains { text[$0...].starts(with: phrase) }
    }

    @discardableResult
    private static func withBuffer<R>(_ text: [UInt8], _ body: (OpaquePointer?) -> R) -> R {
        text.withUnsafeBytes { bytes in
            // Reads in place: the buffer is gone before the bytes are.
            let buffer = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
            defer { BIO_free(buffer) }
            return body(buffer)
        }
    }
}

// OpenSSL's own callback would ask at the terminal.
private func refusePassword(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }
