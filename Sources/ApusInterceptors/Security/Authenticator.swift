// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Knows one kind of credentials.
public protocol Authenticator: Sendable {
    /// Finds out who makes a call.
    ///
    /// - Returns: who; nil when the call has no credentials of this kind.
    /// - Throws: when it has some that are not good. An ``RPCError`` reaches the caller as it is; of anything else the
    ///   caller learns nothing but UNAUTHENTICATED.
    func principal(of call: ServerCallHead) async throws -> Principal?
}

/// Knows callers by the client certificate of their connection, which TLS has verified.
public struct CertificateAuthenticator: Authenticator {
    /// For servers that ask for client certificates.
    public init() {}

    /// The certificate's SPIFFE identity, else its first URI or DNS name, else its subject.
    public func principal(of call: ServerCallHead) async throws -> Principal? {
        call.peerIdentity.map { Principal(name: $0.principalNames.first ?? $0.subject) }
    }
}

/// Knows callers by a token in `authorization: Bearer …`. Source: RFC 6750, section 2.1.
public struct BearerAuthenticator: Authenticator {
    private let verify: @Sendable (_ token: String) async throws -> Principal?

    /// Verifies tokens: with a library for JSON Web Tokens, say, or by asking who issued them.
    ///
    /// - Parameter verify: is given the token; nil says that it is not good.
    public init(verify: @escaping @Sendable (_ token: String) async throws -> Principal?) { self.verify = verify }

    /// Knows these tokens and nobody else's. All are compared, each in a time that does not depend on where it differs.
    public init(tokens: [String: Principal]) {
        let known = tokens.map { (Array($0.key.utf8), $0.value) }
        verify = { token in
            let token = Array(token.utf8)
            return known.reduce(nil) { found, next in Self.areEqual(token, next.0) ? next.1 : found }
        }
    }

    /// Who the token belongs to.
    ///
    /// - Throws: UNAUTHENTICATED when it belongs to nobody, or when there are several.
    public func principal(of call: ServerCallHead) async throws -> Principal? {
        let values = call.metadata.values(of: "authorization")
        guard let value = values.first else { return nil }
        guard values.count == 1 else { throw RPCError(.unauthenticated, "a call has one authorization") }
        guard let token = Self.token(value) else { return nil }
        guard let principal = try await verify(token) else {
            throw RPCError(.unauthenticated, "the bearer token is not valid")
        }
        return principal
    }

    /// The token of a header's value; nil for another scheme. The scheme's case does not matter.
    static func token(_ value: String) -> String? {
        let scheme = "bearer "
        guard value.utf8.count > scheme.utf8.count, value.prefix(scheme.count).lowercased() == scheme else {
            return nil
        }
        return String(value.dropFirst(scheme.count).drop { $0 == " " })
    }

    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension PeerIdentity {
    /// The names that a certificate stands for, the strongest first: URIs, DNS names, the subject. Source: gRFC A43.
    var principalNames: [String] { names.uri + names.dns + [subject] }
}
