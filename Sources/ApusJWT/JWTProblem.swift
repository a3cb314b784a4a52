// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Why a token is not accepted. What the caller is told never has a part of the token in it.
enum JWTProblem: Error, Sendable, Hashable, CaseIterable {
    case malformed, critical, algorithm, unknownKey, signature
    case noExpiration, expired, notYetValid, issuer, audience, noName

    var error: RPCError { RPCError(.unauthenticated, "the bearer token \(text)") }

    private var text: String {
        switch self {
        case .malformed: "is no JSON Web Token that can be read"
        case .critical: "has critical header fields that this server does not know"
        case .algorithm: "is signed by an algorithm that this server does not allow"
        case .unknownKey: "is signed with a key that this server does not know"
        case .signature: "has a signature that is not right"
        case .noExpiration: "does not say when it expires"
        case .expired: "has expired"
        case .notYetValid: "is not valid yet"
        case .issuer: "has another issuer than this server trusts"
        case .audience: "is for another audience than this server"
        case .noName: "does not say whose it is"
        }
    }
}
