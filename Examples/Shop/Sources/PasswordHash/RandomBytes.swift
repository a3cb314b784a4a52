// SPDX-License-Identifier: Apache-2.0

import CShopCrypto

/// OpenSSL refused to work: it has no memory or no randomness.
public struct CryptoFailure: Error, CustomStringConvertible {
    /// The C function that failed.
    public let function: String

    /// One line.
    public var description: String { "OpenSSL's \(function) failed" }
}

func randomBytes(count: Int) throws(CryptoFailure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, CInt(count)) == 1 else { throw CryptoFailure(function: "RAND_bytes") }
    return bytes
}
