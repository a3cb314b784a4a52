// SPDX-License-Identifier: Apache-2.0

#if JWT
    public import ApusCore
    public import ApusInterceptors

    #if canImport(FoundationEssentials)
        import FoundationEssentials
    #else
        import Foundation
    #endif

    /// Knows callers by a JSON Web Token in `authorization: Bearer …`, whose signature it verifies with public keys. There
    /// with the package's trait `JWT` alone.
    ///
    /// ``Authentication`` asks it; ``Authorization`` and handlers then see the token's subject as ``Principal/current``,
    /// and its claims as ``Principal/attributes``: texts as they are, all else as JSON. A token that is not accepted fails
    /// the call with UNAUTHENTICATED and why; no part of a token is told to anybody. Source: RFC 7519, RFC 8725.
    ///
    /// Tokens that are signed with a secret both sides know (HS256, HS384, HS512) are refused, and keys of the kind `oct`
    /// are passed over: jwt-kit reads none of them from a key set, and who can verify such a token can make one for
    /// anybody. Have issuers sign with a key pair, ES256 or EdDSA, say. Where a secret is all there is, give a
    /// ``BearerAuthenticator`` the secret's check.
    ///
    /// ```swift
    /// let tokens = try await JWTAuthenticator(
    ///     keys: keySet, JWTRules(issuer: "https://login.example", audience: "shop"))
    /// let server = try Server([Users()], interceptors: [Authentication([tokens]), Authorization(policy)])
    /// ```
    public final class JWTAuthenticator: Authenticator {
        private let rules: JWTRules
        private let now: @Sendable () -> Double
        private let keys: LatestValue<JWTKeys>

        /// Verifies with the keys of a set.
        ///
        /// - Parameters:
        ///   - text: a JSON Web Key Set, as issuers publish it. Keys that are for something else, or for algorithms that
        ///     the rules do not allow, are passed over; RSA keys have 2048 bits or more. A token without a
        ///     key's id is tried with four keys of its algorithm at most.
        ///   - now: the time of day, in seconds since 1970; nil for the system's.
        /// - Throws: INVALID_ARGUMENT for a text that is no such set, or one without a key that could be used.
        public init(
            keys text: String, _ rules: JWTRules,
            now: (@Sendable () -> Double)? = nil
        ) async throws(RPCError) {
            self.rules = rules
            self.now = now ?? { Date().timeIntervalSince1970 }
            keys = LatestValue(try await JWTKeys(reading: text, for: rules.algorithms))
        }

        /// Takes other keys, as when an issuer has new ones: in force for the next call. Of several that are given at
        /// the same time, those that were given last.
        ///
        /// - Throws: INVALID_ARGUMENT as ``init(keys:_:now:)``; the last good keys then stay.
        public func replace(keys text: String) async throws(RPCError) {
            try await keys.replace { () async throws(RPCError) in
                try await JWTKeys(reading: text, for: rules.algorithms)
            }
        }

        /// Who the call's token is of; nil for a call without one.
        ///
        /// - Throws: UNAUTHENTICATED for a token that is not accepted.
        public func principal(of call: ServerCallHead) async throws -> Principal? {
            try await BearerAuthenticator { [self] token in
                do throws(JWTProblem) { return try principal(of: token) } catch { throw error.error }
            }.principal(of: call)
        }

        // The signature before the claims: who cannot sign learns nothing about what they should say.
        private func principal(of text: String) throws(JWTProblem) -> Principal {
            let token = try CompactToken(text)
            guard rules.allows(token.algorithm) else { throw .algorithm }
            try keys.value.verify(token)
            return try rules.principal(token.claims, at: now())
        }
    }
#endif
