// SPDX-License-Identifier: Apache-2.0

/// The policies of a channel that says nothing else, in their order.
///
/// 1. ``Deadline``: first, so that one moment ends all tries of a call, and what the caller's own caller still waits.
/// 2. ``Retry``: behind it everything happens again for each try: a new list, a new choice, another endpoint. Its budget
///    bounds what all calls of the channel add to the load of a service that is down.
/// 3. ``Discovery``: the name becomes a list of endpoints, the newest for each try.
/// 4. ``RandomBalancer``: the list becomes one endpoint. Another balancer, or one of yours, may take its place.
/// 5. ``CircuitBreaker``: behind the balancer, where a call has its endpoint: one breaker for each method of each
///    endpoint. What it refuses goes back to 2 and at once to another endpoint.
/// 6. ``OutlierEjection``, when it is asked for: behind the balancer as well, and nearest to the wire, so that it counts
///    what servers answer, not what the breaker says.
///
/// With a `config` the owner of the service has a word in all of these: see ``ServiceConfig``.
///
/// Policies of the whole call, such as ``IdempotencyKey``, ``Fallback``, ``AnswerCache``, ``SingleFlight``,
/// ``Bulkhead`` or ``RateLimit``, stand in `before`: behind the deadline and in front of the tries. What each try needs
/// anew, such as ``CallCredentials``, stands in `perTry`: behind 2 and in front of 3.
///
/// ```swift
/// var stack = DefaultStack()
/// stack.timeout = .seconds(2)
/// stack.before = [IdempotencyKey()]
/// let channel = Channel("users", interceptors: stack.interceptors(with: registry))
/// ```
public struct DefaultStack: Sendable {
    /// The time for all tries of a call; nil for none besides the caller's and the handler's.
    public var timeout: Duration? = .seconds(10)
    /// Policies in front of the tries.
    public var before: [any ClientInterceptor] = []
    /// When a call is tried again; a ``Hedging`` may take its place.
    public var tries: any RetryingInterceptor = Retry(.exponential(), budget: RetryBudget())
    /// Policies of each try.
    public var perTry: [any ClientInterceptor] = []
    /// Who picks an endpoint.
    public var balancer: any ClientInterceptor = RandomBalancer()
    /// nil for none.
    public var breaker: CircuitBreaker? = CircuitBreaker()
    /// nil, as it is unless told, for none.
    public var outliers: OutlierEjection?
    /// What the owner of the service asks for; nil, as it is unless told, for nothing. With a config its tries take the
    /// place of `tries`, and its limits stand in front of them; its balancer, breaker and outlier ejection take the
    /// place of those here while it names them, and its health checks stand last.
    public var config: LiveServiceConfig?

    /// The defaults.
    public init() {}

    /// The list for a channel whose endpoints a registry knows. One list for one channel.
    public func interceptors(with registry: any Registry) -> [any ClientInterceptor] {
        guard let config else { return list([], tries, Discovery(registry), balancer, [breaker, outliers]) }
        return list(
            [ConfiguredPolicy(.rateLimit, of: config), ConfiguredPolicy(.concurrencyLimit, of: config)],
            ServiceConfigured(config), Discovery(registry), ConfiguredBalancer(config, fallback: balancer),
            [
                ConfiguredPolicy(.circuitBreaker, of: config, fallback: breaker),
                ConfiguredPolicy(.outlierEjection, of: config, fallback: outliers),
                ConfiguredPolicy(.healthChecks, of: config),
            ])
    }

    private func list(
        _ limits: [any ClientInterceptor], _ tries: any ClientInterceptor, _ discovery: Discovery,
        _ balancer: any ClientInterceptor, _ behind: [(any ClientInterceptor)?]
    ) -> [any ClientInterceptor] {
        [timeout.map { Deadline($0) } ?? .inherited] + before + limits + [tries] + perTry + [discovery, balancer]
            + behind.compactMap(\.self)
    }
}
