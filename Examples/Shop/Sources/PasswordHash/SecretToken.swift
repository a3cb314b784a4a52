// SPDX-License-Identifier: Apache-2.0

import CShopCrypto

/// A random secret that its holder shows to be recognized, such as a session's; only its digest is stored.
public struct SecretToken: Sendable, Hashable {
    /// 64 hexadecimal digits.
    public let text: String

    /// A fresh secret of 256 bits.
    ///
    /// - Throws: ``CryptoFailure`` when OpenSSL has no randomness.
    public init() throws(CryptoFailure) {
        text = hexadecimal(try randomBytes(count: 32))
    }

    /// What its holder showed.
    public init(shown text: String) { self.text = text }

    /// The SHA-256 of the text in hexadecimal digits. A quick hash does: nobody guesses 256 random bits.
    ///
    /// - Throws: ``CryptoFailure`` when OpenSSL has no memory.
    public func digest() throws(CryptoFailure) -> String {
        let bytes = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
            throw CryptoFailure(function: "EVP_Digest")
        }
        return hexadecimal(digest)
    }
}
