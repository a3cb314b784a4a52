// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors

/// What a JSON Web Token must say to be accepted. Source: RFC 7519, section 4.1; RFC 8725.
public struct JWTRules: Sendable, Hashable {
    /// How tokens are signed. Only with keys of which the public half is enough to verify: not with a shared secret, as
    /// HS256, HS384 and HS512 are. ``BearerAuthenticator`` takes a check of one's own for those.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        case rs256 = "RS256"
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        case rs384 = "RS384"
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        case rs512 = "RS512"
        /// RSASSA-PSS with SHA-256.
        case ps256 = "PS256"
        /// RSASSA-PSS with SHA-384.
        case ps384 = "PS384"
        /// RSASSA-PSS with SHA-512.
        case ps512 = "PS512"
        /// ECDSA with P-256 and SHA-256.
        case es256 = "ES256"
        /// ECDSA with P-384 and SHA-384.
        case es384 = "ES384"
        /// ECDSA with P-521 and SHA-512.
        case es512 = "ES512"
        /// Ed25519.
        case edDSA = "EdDSA"
    }

    /// The `iss` that a token must have; nil for any.
    public var issuer: String?
    /// The `aud` that a token must have, alone or among others; nil for any.
    public var audience: String?
    /// The algorithms that are allowed, whatever a token or a key asks for.
    public var algorithms: Set<Algorithm>
    /// How far clocks may differ: `exp` may have passed, and `nbf` may come, by so much.
    public var leeway: Duration
    /// Whether a token must have an `exp`.
    public var requiresExpiration = true
    /// The claim that is the principal's name; a token must have it, as a text.
    public var nameClaim = "sub"

    /// Rules for tokens of one issuer for one audience.
    ///
    /// - Parameters:
    ///   - issuer: nil accepts any that the keys are of.
    ///   - audience: nil accepts tokens that were made for other services.
    ///   - leeway: a negative one counts as zero.
    public init(
        issuer: String?, audience: String?, algorithms: Set<Algorithm> = Set(Algorithm.allCases),
        leeway: Duration = .seconds(60)
    ) {
        self.issuer = issuer
        self.audience = audience
        self.algorithms = algorithms
        self.leeway = max(.zero, leeway)
    }

    /// Whether tokens may be signed so.
    func allows(_ algorithm: String) -> Bool { Algorithm(rawValue: algorithm).map(algorithms.contains) ?? false }

    /// Who a token with these claims is of.
    ///
    /// - Parameter now: seconds since 1970.
    func principal(_ claims: [String: JSON], at now: Double) throws(JWTProblem) -> Principal {
        try checkTime(claims, at: now)
        if let issuer, claims["iss"] != .string(issuer) { throw .issuer }
        if let audience, !Self.texts(claims["aud"]).contains(audience) { throw .audience }
        guard case .string(let name) = claims[nameClaim], !name.isEmpty else { throw .noName }
        return Principal(name: name, attributes: claims.mapValues(Self.text))
    }

    private func checkTime(_ claims: [String: JSON], at now: Double) throws(JWTProblem) {
        let leeway = leeway / .seconds(1)
        if let end = try Self.number(claims["exp"]) {
            guard now < end + leeway else { throw .expired }
        } else if requiresExpiration {
            throw .noExpiration
        }
        if let start = try Self.number(claims["nbf"]), now < start - leeway { throw .notYetValid }
    }

    private static func number(_ claim: JSON?) throws(JWTProblem) -> Double? {
        switch claim {
        case nil: return nil
        case .number(let number): return number
        default: throw .malformed
        }
    }

    private static func texts(_ claim: JSON?) -> [String] {
        switch claim {
        case .string(let text): [text]
        case .array(let elements): elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
        default: []
        }
    }

    // Texts as they are, all else as JSON.
    private static func text(_ claim: JSON) -> String {
        if case .string(let text) = claim { text } else { claim.line }
    }
}
