// SPDX-License-Identifier: Apache-2.0

import CShopCrypto

/// A password as it may be stored: salted, hashed slowly by OpenSSL's scrypt, with its cost beside it.
///
/// ```
/// scrypt:N=16384,r=8,p=1:<32 hex digits of salt>:<64 hex digits of hash>
/// ```
public struct PasswordHash: Sendable, Hashable {
    /// What the hash cost when it was made, and costs for each comparison.
    public let cost: ScryptCost
    let salt: [UInt8]
    let key: [UInt8]

    private static let saltBytes = 16
    private static let keyBytes = 32

    /// Hashes a password with a fresh salt. Slow on purpose: blocks its thread.
    ///
    /// - Throws: ``CryptoFailure`` when OpenSSL has no randomness or no memory.
    public init(of password: String, cost: ScryptCost = .standard) throws(CryptoFailure) {
        let salt = try randomBytes(count: Self.saltBytes)
        self.init(cost: cost, salt: salt, key: try Self.derive(password, salt: salt, cost: cost))
    }

    private init(cost: ScryptCost, salt: [UInt8], key: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.key = key
    }

    /// Whether this is the hash of `password`. As slow as making one; the comparison's time tells nothing.
    ///
    /// - Throws: ``CryptoFailure`` when OpenSSL has no memory.
    public func matches(_ password: String) throws(CryptoFailure) -> Bool {
        let other = try Self.derive(password, salt: salt, cost: cost)
        return CRYPTO_memcmp(key, other, Self.keyBytes) == 0
    }

    private static func derive(
        _ password: String, salt: [UInt8], cost: ScryptCost
    ) throws(CryptoFailure) -> [UInt8] {
        let bytes = password.utf8.map { CChar(bitPattern: $0) }
        var key = [UInt8](repeating: 0, count: keyBytes)
        // EVP_PBE_scrypt(3): the password is bytes with a length, 1 means success.
        let status = EVP_PBE_scrypt(
            bytes, bytes.count, salt, salt.count, UInt64(cost.n), UInt64(cost.blockSize),
            UInt64(cost.parallelization), cost.memoryLimit, &key, keyBytes)
        guard status == 1 else { throw CryptoFailure(function: "EVP_PBE_scrypt") }
        return key
    }
}

extension PasswordHash: LosslessStringConvertible {
    /// The form that is stored.
    public var description: String { "scrypt:\(cost):\(hexadecimal(salt)):\(hexadecimal(key))" }

    /// Reads the stored form; nil for anything else.
    public init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "scrypt", let cost = ScryptCost(String(parts[1])),
            let salt = bytes(hexadecimal: parts[2]), salt.count == Self.saltBytes,
            let key = bytes(hexadecimal: parts[3]), key.count == Self.keyBytes
        else { return nil }
        self.init(cost: cost, salt: salt, key: key)
    }
}
