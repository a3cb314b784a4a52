// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusInterceptors

/// Treats each call as the service config in force says: its time, wait-for-ready, the sizes of its messages, and its
/// tries. In front of discovery, instead of ``Retry`` and ``Hedging``; ``Deadline/inherited`` still goes before it.
///
/// What the caller asked for stays where it is stricter: the earlier deadline, the smaller limit.
public struct ServiceConfigured: RetryingInterceptor {
    package let config: LiveServiceConfig

    /// Follows a config.
    public init(_ config: LiveServiceConfig) { self.config = config }

    /// Sends the call under the config that is in force now, to its end.
    ///
    /// - Throws: RESOURCE_EXHAUSTED for a request that is too large; the errors of the tries.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let policy = config.inForce.methods[call.method]
        return try await policy.send(try policy.applied(to: call, at: config.clock.now), to: next)
    }
}

/// Chooses endpoints as the `loadBalancingConfig` in force says. Behind ``Discovery``.
public struct ConfiguredBalancer: RoutingInterceptor {
    private let config: LiveServiceConfig
    private let fallback: any ClientInterceptor

    /// Follows a config.
    ///
    /// - Parameter fallback: the balancer while the config names none.
    public init(_ config: LiveServiceConfig, fallback: any ClientInterceptor) {
        self.config = config
        self.fallback = fallback
    }

    /// Sends the call through the balancer that is in force now.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        try await (config.inForce.balancer ?? fallback).intercept(call, next: next)
    }
}

extension ServiceConfigured: DescribedPolicy {
    /// The document in force, and why the last one is not.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("source", config.document?.name), PolicyValue("refused", config.lastRefusal?.message),
            PolicyValue("throttle", config.inForce.throttle?.current),
        ]
    }
}

extension ConfiguredBalancer: DescribedPolicy {
    /// The balancer in force and its values.
    public var policyValues: [PolicyValue] {
        let named = config.inForce.balancer
        return PolicyValue.inForce(named ?? fallback, isOfConfig: named != nil)
    }
}

extension PolicyValue {
    static func inForce(_ policy: (any ClientInterceptor)?, isOfConfig: Bool) -> [PolicyValue] {
        let name = PolicyValue("policy", policy.map { "\(type(of: $0))" })
        let origin = PolicyValue("from", isOfConfig ? "service config" : "the channel")
        return [name, origin] + ((policy as? any DescribedPolicy)?.policyValues ?? [])
    }
}
