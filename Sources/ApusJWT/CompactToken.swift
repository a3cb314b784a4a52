// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A signed token as it stands in a header, taken apart; nothing in it has been verified. Source: RFC 7515, section 7.1;
/// RFC 7519.
struct CompactToken: Sendable {
    /// More than any header has room for.
    static let maximumBytes = 16 * 1024

    /// The `alg` of the header.
    let algorithm: String
    /// The `kid` of the header.
    let keyID: String?
    let claims: [String: JSON]
    /// What was signed: header and claims as they came.
    let signed: [UInt8]
    let signature: [UInt8]

    init(_ text: String) throws(JWTProblem) {
        guard text.utf8.count <= Self.maximumBytes else { throw .malformed }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Self.decoded(parts[2]) else { throw .malformed }
        let header = try Self.object(parts[0])
        guard case .string(let algorithm) = header["alg"] else { throw .malformed }
        // It says that what this reader does not know must be understood. RFC 7515, section 4.1.11.
        guard header["crit"] == nil else { throw .critical }
        self.algorithm = algorithm
        keyID = try Self.keyID(header)
        claims = try Self.object(parts[1])
        signed = Array(parts[0]) + [UInt8(ascii: ".")] + Array(parts[1])
        self.signature = signature
    }

    private static func keyID(_ header: [String: JSON]) throws(JWTProblem) -> String? {
        switch header["kid"] {
        case nil: return nil
        case .string(let id): return id
        default: throw .malformed
        }
    }

    private static func object(_ text: Substring.UTF8View) throws(JWTProblem) -> [String: JSON] {
        guard let bytes = decoded(text), case .object(let members) = try? JSONReader.read(bytes) else {
            throw .malformed
        }
        return members
    }

    /// The bytes of base64url without padding; nil for anything else. Source: RFC 7515, section 2.
    static func decoded(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var standard: [UInt8] = []
        for byte in text {
            switch byte {
            case UInt8(ascii: "-"): standard.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): standard.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: standard.append(byte)
            }
        }
        return standard.withUnsafeBytes { Base64.decode($0) }
    }
}
