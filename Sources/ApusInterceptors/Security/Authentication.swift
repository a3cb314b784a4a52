// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Finds out who makes each call, and refuses with UNAUTHENTICATED those of whom it cannot. Handlers, and interceptors
/// behind it, see ``Principal/current``.
///
/// ```swift
/// let server = try Server([Users()], interceptors: [
///     Authentication([CertificateAuthenticator(), BearerAuthenticator(verify: accounts.verify)],
///                    open: ["/grpc.health.v1.Health/*"]),
///     Authorization(policy),
/// ])
/// ```
public struct Authentication: ServerInterceptor {
    private let authenticators: [any Authenticator]
    private let open: [StringMatch]

    /// Asks the authenticators in their order: the first that knows the caller tells who it is; the first that finds bad
    /// credentials refuses the call.
    ///
    /// - Parameter open: the paths of methods that need no credentials, as in ``AuthorizationPolicy``:
    ///   `/package.Service/*` is a whole service.
    public init(_ authenticators: [any Authenticator], open: [StringMatch] = []) {
        self.authenticators = authenticators
        self.open = open
    }

    /// Handles the call of somebody who is known.
    ///
    /// - Throws: UNAUTHENTICATED; the handler's error.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        if open.contains(where: { $0.matches(call.method.path) }) { return try await next(call) }
        let principal = try await principal(of: ServerCallHead(call))
        return try await Principal.$current.binding(principal) { try await next(call) }
    }

    private func principal(of head: ServerCallHead) async throws(RPCError) -> Principal {
        for authenticator in authenticators {
            do {
                if let principal = try await authenticator.principal(of: head) { return principal }
            } catch let error as RPCError {
                throw error
            } catch is CancellationError {
                throw RPCError(.cancelled, "the call ended while its credentials were looked at")
            } catch {
                // Why is the server's affair: it could help who guesses.
                throw RPCError(.unauthenticated, "the credentials are not valid")
            }
        }
        throw RPCError(.unauthenticated, "the call has no credentials")
    }
}

extension ServerCallHead {
    /// The head of a call that is under way.
    init(_ call: ServerCall) {
        self.init(method: call.method, metadata: call.metadata, peer: call.peer, peerIdentity: call.peerIdentity)
    }
}

extension Authentication: DescribedPolicy {
    /// The kinds of credentials that it knows, in their order, and the methods that need none.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("authenticators", listing: authenticators.map { "\(type(of: $0))" }),
            PolicyValue("open", listing: open.map(\.description)),
        ]
    }
}
