// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Lets only those calls pass that a policy allows; others fail with PERMISSION_DENIED. Stands behind
/// ``Authentication``, where there is one. Source: gRFC A43; for the audit, A59.
public final class Authorization: ServerInterceptor {
    /// What was decided about a call.
    public struct AuditEvent: Sendable, Hashable {
        /// The path of the method.
        public var path: String
        /// Who called, if that is known.
        public var principal: String?
        /// From where.
        public var peer: Endpoint.Address
        /// The policy's name.
        public var policy: String
        /// What it said, and by which rule.
        public var decision: AuthorizationPolicy.Decision
    }

    private let policy: Mutex<AuthorizationPolicy>
    private let audit: @Sendable (AuditEvent) -> Void

    /// Obeys a policy.
    ///
    /// - Parameter audit: is told of what the policy wants to be audited, in the call's own task: be quick, or hand it on.
    public init(_ policy: AuthorizationPolicy, audit: @escaping @Sendable (AuditEvent) -> Void = { _ in }) {
        self.policy = Mutex(policy)
        self.audit = audit
    }

    /// Takes another policy: in force for the next call.
    public func replace(with policy: AuthorizationPolicy) { self.policy.withLock { $0 = policy } }

    /// Handles the call if it is allowed.
    ///
    /// - Throws: PERMISSION_DENIED, which does not say why; the handler's error.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        let policy = policy.withLock { $0 }
        let principal = Principal.current
        let decision = policy.decide(ServerCallHead(call), principal: principal)
        if policy.auditing.contains(decision.isAllowed ? .permissions : .denials) {
            let name = principal?.name ?? call.peerIdentity?.principalNames.first
            audit(
                AuditEvent(
                    path: call.method.path, principal: name, peer: call.peer, policy: policy.name, decision: decision))
        }
        guard decision.isAllowed else { throw RPCError(.permissionDenied, "the call is not allowed") }
        return try await next(call)
    }
}

extension Authorization: DescribedPolicy {
    /// The policy in force and its rules, by their names: what they look for in metadata may be keys.
    public var policyValues: [PolicyValue] {
        let policy = policy.withLock { $0 }
        return [
            PolicyValue("policy", policy.name), PolicyValue("deny", listing: policy.deny.map(\.name)),
            PolicyValue("allow", listing: policy.allow.map(\.name)), PolicyValue("auditing", policy.auditing),
        ]
    }
}
