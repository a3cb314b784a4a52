// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusInterceptors

/// One policy that the service config in force asks for: a place in the list of interceptors that a document fills.
///
/// A policy keeps what it knows while the part of the document that asks for it stays the same. One that is changed
/// begins anew; calls that run finish under the old one.
public struct ConfiguredPolicy: ClientInterceptor {
    /// Which policy, and with it where it stands.
    public enum Part: Sendable, Hashable, CaseIterable {
        /// `apus.rateLimit`: calls in a time; in front of the tries.
        case rateLimit
        /// `apus.concurrencyLimit`: calls at once; in front of the tries, behind the rate limit.
        case concurrencyLimit
        /// `apus.circuitBreaker`: behind the balancer.
        case circuitBreaker
        /// `apus.outlierEjection`: behind the breaker.
        case outlierEjection
        /// `healthCheckConfig`: last of all.
        case healthChecks
    }

    private let part: Part
    private let config: LiveServiceConfig
    private let fallback: (any ClientInterceptor)?

    /// Follows a config.
    ///
    /// - Parameter fallback: the policy while the config asks for none; nil for none.
    public init(_ part: Part, of config: LiveServiceConfig, fallback: (any ClientInterceptor)? = nil) {
        self.part = part
        self.config = config
        self.fallback = fallback
    }

    /// Sends the call through the policy that is in force now.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard let policy = config.inForce.policies[part] ?? fallback else { return try await next(call) }
        return try await policy.intercept(call, next: next)
    }
}

/// The policies that a config asks for, made once for all calls.
struct ConfiguredPolicies: Sendable {
    private var rateLimit: (any ClientInterceptor)?
    private var concurrencyLimit: (any ClientInterceptor)?
    private var circuitBreaker: (any ClientInterceptor)?
    private var outlierEjection: (any ClientInterceptor)?
    private var healthChecks: (any ClientInterceptor)?

    init() {}

    /// Those of a config; from the one before it what both ask for in the same words.
    ///
    /// - Parameter replaced: gets those of the one before it that this one does not go on with.
    init(
        _ config: ServiceConfig, after old: (config: ServiceConfig, policies: Self)?, _ clock: any MonotonicClock,
        replaced: inout [any ClientInterceptor]
    ) {
        let (new, past) = (config.protection, old?.config.protection)
        func kept<T: Equatable>(
            _ wish: T?, _ before: T?, _ policy: (any ClientInterceptor)?, make: (T) -> any ClientInterceptor
        ) -> (any ClientInterceptor)? {
            if wish == before, let policy { return policy }
            if let policy { replaced.append(policy) }
            return wish.map(make)
        }
        rateLimit = kept(new.rate, past?.rate, old?.policies.rateLimit) {
            RateLimit($0.settings.rate, per: $0.settings.key, name: "service config", clock: clock)
        }
        concurrencyLimit = kept(new.concurrency, past?.concurrency, old?.policies.concurrencyLimit) {
            Bulkhead(
                $0.settings.limit, queue: $0.settings.queue, longestWait: $0.settings.longestWait,
                priorityKey: $0.settings.priorityKey, name: "service config", clock: clock)
        }
        circuitBreaker = kept(new.breaker, past?.breaker, old?.policies.circuitBreaker) {
            CircuitBreaker("service config", for: $0.settings.scope, rules: $0.settings.rules, clock: clock)
        }
        outlierEjection = kept(new.outliers, past?.outliers, old?.policies.outlierEjection) {
            OutlierEjection(rules: $0.settings, clock: clock)
        }
        healthChecks = kept(
            config.healthCheckService, old?.config.healthCheckService, old?.policies.healthChecks
        ) { HealthChecks(service: $0, clock: clock) }
    }

    subscript(_ part: ConfiguredPolicy.Part) -> (any ClientInterceptor)? {
        switch part {
        case .rateLimit: rateLimit
        case .concurrencyLimit: concurrencyLimit
        case .circuitBreaker: circuitBreaker
        case .outlierEjection: outlierEjection
        case .healthChecks: healthChecks
        }
    }
}

extension ConfiguredPolicy: DescribedPolicy {
    /// The policy in force and its values.
    public var policyValues: [PolicyValue] {
        let named = config.inForce.policies[part]
        return [PolicyValue("part", "\(part)")] + PolicyValue.inForce(named ?? fallback, isOfConfig: named != nil)
    }
}
