// SPDX-License-Identifier: Apache-2.0

import CryptoExtras
import Foundation
import JWTKit

/// Somebody who signs tokens: a key of one algorithm, and its public half for a key set.
struct Issuer: Sendable {
    let algorithm: any JWTAlgorithm
    let id: String?
    /// The members of its public key.
    let key: [String: String]

    private init(_ id: String?, _ algorithm: any JWTAlgorithm, _ key: [String: String]) {
        (self.id, self.algorithm, self.key) = (id, algorithm, key)
    }

    static func es256(_ id: String? = nil) async throws -> Issuer {
        let key = ES256PrivateKey()
        guard let (x, y) = key.publicKey.parameters else { throw JWTError.noKeyProvided }
        let members = ["kty": "EC", "crv": "P-256", "x": url(x), "y": url(y)]
        return Issuer(id, try await JWTKeyCollection().add(ecdsa: key).getKey(), members)
    }

    static func edDSA(_ id: String? = nil) async throws -> Issuer {
        let key = try EdDSA.PrivateKey()
        let members = ["kty": "OKP", "crv": "Ed25519", "x": coded(key.publicKey.rawRepresentation)]
        return Issuer(id, try await JWTKeyCollection().add(eddsa: key).getKey(), members)
    }

    /// An RSA key for one of its algorithms.
    static func rsa(
        _ id: String? = nil, pss: Bool = false, _ digest: DigestAlgorithm = .sha256
    ) async throws -> Issuer {
        let key = try Insecure.RSA.PrivateKey(backing: .init(keySize: .bits2048))
        let (modulus, exponent) = try key.publicKey.getKeyPrimitives()
        let keys = JWTKeyCollection()
        if pss {
            await keys.add(pss: key, digestAlgorithm: digest)
        } else {
            await keys.add(rsa: key, digestAlgorithm: digest)
        }
        return Issuer(id, try await keys.getKey(), ["kty": "RSA", "n": coded(modulus), "e": coded(exponent)])
    }

    /// One that publishes an RSA key of 1024 bits.
    static func careless(_ id: String? = nil) async throws -> Issuer {
        let small = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).publicKey.getKeyPrimitives()
        let key = ["kty": "RSA", "n": coded(small.modulus), "e": coded(small.publicExponent)]
        return Issuer(id, try await rsa(id).algorithm, key)
    }

    /// A shared secret, of which no key set has a public half.
    static func secret(_ bytes: [UInt8]) async throws -> Issuer {
        let keys = await JWTKeyCollection().add(hmac: HMACKey(from: Data(bytes)), digestAlgorithm: .sha256)
        return Issuer(nil, try await keys.getKey(), [:])
    }

    /// A token with these claims, signed.
    func token(_ claims: [String: Any], header more: [String: Any] = [:], isNamed: Bool = true) throws -> String {
        var header: [String: Any] = ["alg": algorithm.name, "typ": "JWT"]
        header["kid"] = isNamed ? id : nil
        header.merge(more) { $1 }
        let signed = try "\(Self.coded(Self.json(header))).\(Self.coded(Self.json(claims)))"
        return "\(signed).\(Self.coded(Data(try algorithm.sign(Array(signed.utf8)))))"
    }

    /// A key set of these issuers' public keys.
    static func keySet(_ issuers: [Issuer], adding more: [String: String] = [:]) throws -> String {
        let keys = issuers.map { issuer in
            var key = issuer.key.merging(more) { $1 }
            key["kid"] = issuer.id
            return key
        }
        return String(decoding: try json(["keys": keys]), as: UTF8.self)
    }

    private static func json(_ value: Any) throws -> Data { try JSONSerialization.data(withJSONObject: value) }

    static func coded(_ bytes: Data) -> String { url(bytes.base64EncodedString()) }

    private static func url(_ text: String) -> String {
        text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
