// SPDX-License-Identifier: Apache-2.0

#if JWT
    import ApusCore
    import JWTKit

    #if canImport(FoundationEssentials)
        import FoundationEssentials
    #else
        import Foundation
    #endif

    /// The public keys of a JSON Web Key Set, each for the algorithms that it is good for. Source: RFC 7517.
    struct JWTKeys: Sendable {
        private static let maximumBytes = 256 * 1024
        private static let maximumKeys = 100
        // Each is a signature to verify: a caller must not make a server do more of that than its issuer meant.
        private static let maximumTries = 4
        // RFC 7518, section 3.3: 2048 bits.
        private static let smallestModulus = 256

        private struct Key: Sendable {
            let id: String?
            let algorithm: JWTRules.Algorithm
            let verifier: any JWTAlgorithm
        }

        private var keys: [Key] = []

        /// Reads a key set. Keys of other kinds, such as those for encryption, are passed over, as the standard says.
        ///
        /// - Throws: INVALID_ARGUMENT for text that is no key set, or of which no key is good for these algorithms.
        init(reading text: String, for algorithms: Set<JWTRules.Algorithm>) async throws(RPCError) {
            guard text.utf8.count <= Self.maximumBytes else { throw Self.refusal("it is too large") }
            let value: JSON
            do { value = try JSONReader.read(Array(text.utf8)) } catch { throw Self.refusal("\(error)") }
            guard case .object(let set) = value, case .array(let list) = set["keys"] else {
                throw Self.refusal("it is no object with an array 'keys'")
            }
            guard list.count <= Self.maximumKeys else { throw Self.refusal("it has too many keys") }
            for case .object(let members) in list where Self.isForSignatures(members) {
                for algorithm in Self.algorithms(of: members) where algorithms.contains(algorithm) {
                    guard let verifier = await Self.verifier(members, algorithm) else { continue }
                    keys.append(Key(id: members.text("kid"), algorithm: algorithm, verifier: verifier))
                }
            }
            guard !keys.isEmpty else {
                throw Self.refusal("no key in it verifies signatures of the allowed algorithms")
            }
        }

        /// - Throws: when no key has made the signature.
        func verify(_ token: CompactToken) throws(JWTProblem) {
            let candidates = keys.filter { key in
                key.algorithm.rawValue == token.algorithm
                    && (key.id == nil || token.keyID == nil || key.id == token.keyID)
            }
            guard !candidates.isEmpty else { throw .unknownKey }
            let isRight = candidates.prefix(Self.maximumTries).contains { key in
                // It throws for bytes that cannot be a signature of this kind.
                (try? key.verifier.verify(token.signature, signs: token.signed)) == true
            }
            guard isRight else { throw .signature }
        }

        private static func isForSignatures(_ members: [String: JSON]) -> Bool {
            if let use = members["use"], use != .string("sig") { return false }
            guard let operations = members["key_ops"] else { return true }
            guard case .array(let list) = operations else { return false }
            return list.contains(.string("verify"))
        }

        // What the kind of key allows; the one that it asks for, if it does.
        private static func algorithms(of members: [String: JSON]) -> [JWTRules.Algorithm] {
            let fitting: [JWTRules.Algorithm] =
                switch (members.text("kty"), members.text("crv")) {
                case ("RSA", _): isLargeEnough(members) ? [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512] : []
                case ("EC", "P-256"): [.es256]
                case ("EC", "P-384"): [.es384]
                case ("EC", "P-521"): [.es512]
                case ("OKP", "Ed25519"): [.edDSA]
                default: []
                }
            guard let asked = members["alg"] else { return fitting }
            return fitting.filter { .string($0.rawValue) == asked }
        }

        private static func isLargeEnough(_ members: [String: JSON]) -> Bool {
            let modulus = members.text("n").flatMap { CompactToken.decoded($0.utf8) } ?? []
            return modulus.drop { $0 == 0 }.count >= smallestModulus
        }

        // The public members alone: who publishes a private half has made a mistake that is not for us to use.
        private static func verifier(
            _ members: [String: JSON], _ algorithm: JWTRules.Algorithm
        ) async -> (any JWTAlgorithm)? {
            let isPublic: Set<String> = ["kty", "crv", "n", "e", "x", "y"]
            guard var key = try? JWK(json: JSON.object(members.filter { isPublic.contains($0.key) }).line) else {
                return nil
            }
            key.algorithm = JWK.Algorithm(rawValue: algorithm.rawValue)
            key.keyIdentifier = "key"
            let collection = JWTKeyCollection()
            guard (try? await collection.add(jwk: key)) != nil else { return nil }
            return try? await collection.getKey(for: "key", alg: algorithm.rawValue)
        }

        private static func refusal(_ why: String) -> RPCError {
            RPCError(.invalidArgument, "the key set cannot be used: \(why)")
        }
    }

    extension [String: JSON] {
        fileprivate func text(_ key: String) -> String? {
            if case .string(let text) = self[key] { text } else { nil }
        }
    }
#endif
