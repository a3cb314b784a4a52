// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusInterceptors
import Synchronization

/// The service config that is in force, and its way to the calls of a channel.
///
/// A new document holds for the calls that start after it arrived; those that run finish under the old one. A document
/// that is refused changes nothing. What a config has learnt (the throttle's tokens, the state of a balancer or a breaker) goes
/// on in the next one when its rules are the same.
///
/// ```swift
/// let config = LiveServiceConfig(following: FileConfig("/etc/users/client.json"))
/// let channel = Channel("users", interceptors: [
///     ServiceConfigured(config), Discovery(registry),
///     ConfiguredBalancer(config, fallback: RandomBalancer()),
///     ConfiguredPolicy(.circuitBreaker, of: config), ConfiguredPolicy(.healthChecks, of: config),
/// ])
/// ```
public final class LiveServiceConfig: Sendable {
    /// A config with what was made of it, once for all calls.
    final class InForce: Sendable {
        let config: ServiceConfig
        let throttle: SharedRetryThrottle?
        let methods: MethodPolicies
        let balancer: (any ClientInterceptor)?
        let policies: ConfiguredPolicies

        /// - Parameter replaced: gets what the one before it asked for and this one does not go on with.
        init(
            _ config: ServiceConfig, after old: InForce?, _ balancers: BalancerRegistry, _ clock: any MonotonicClock,
            replaced: inout [any ClientInterceptor]
        ) throws {
            self.config = config
            throttle =
                old?.config.throttling == config.throttling
                ? old?.throttle
                : config.throttling.map {
                    SharedRetryThrottle(RetryThrottle(maxTokens: $0.maximumTokens, tokenRatio: $0.tokenRatio))
                }
            let keepsBalancer = old?.config.balancer == config.balancer
            balancer = try keepsBalancer ? old?.balancer : config.balancer.flatMap(balancers.make)
            if !keepsBalancer, let past = old?.balancer { replaced.append(past) }
            methods = MethodPolicies(config, throttle, clock)
            policies = ConfiguredPolicies(
                config, after: old.map { ($0.config, $0.policies) }, clock, replaced: &replaced)
        }

        // Of a config that asks for nothing.
        init(_ clock: any MonotonicClock) {
            config = ServiceConfig()
            throttle = nil
            balancer = nil
            methods = MethodPolicies(config, nil, clock)
            policies = ConfiguredPolicies()
        }
    }

    /// A document as it was applied, and what it is called.
    package struct Document: Sendable {
        package let name: String
        package let bytes: [UInt8]
    }

    private struct State {
        var document: Document?
        var refusal: RPCError?
        var task: Task<Void, Never>?
    }

    let clock: any MonotonicClock
    private let initial: InForce
    private let place: SwappedReference<InForce>
    private let balancers: BalancerRegistry
    private let observer: (any Observer)?
    private let state = Mutex(State())

    /// A config that asks for nothing until one is applied.
    ///
    /// - Parameters:
    ///   - balancers: those that documents may name.
    ///   - observer: who is told of documents that are applied or refused.
    ///   - clock: the clock of the channel.
    public init(
        balancers: BalancerRegistry = .standard, observer: (any Observer)? = nil,
        clock: any MonotonicClock = SystemClock()
    ) {
        self.balancers = balancers
        self.observer = observer
        self.clock = clock
        initial = InForce(clock)
        place = SwappedReference(initial)
    }

    /// A config that follows a source until it is released; it asks for nothing until the first good document.
    public convenience init(
        following source: any ConfigSource, balancers: BalancerRegistry = .standard,
        observer: (any Observer)? = nil, clock: any MonotonicClock = SystemClock()
    ) {
        self.init(balancers: balancers, observer: observer, clock: clock)
        let (documents, name) = (source.documents(), source.name)
        let task = Task { [weak self] in
            for await document in documents {
                guard let self else { return }
                self.receive(document, name)
            }
        }
        state.withLock { $0.task = task }
    }

    deinit { state.withLock { $0.task?.cancel() } }

    /// The config in force.
    public var current: ServiceConfig { inForce.config }

    /// Why the last document was refused or could not be read; nil when it is in force.
    public var lastRefusal: RPCError? { state.withLock { $0.refusal } }

    /// The document in force; nil before the first good one.
    package var document: Document? { state.withLock { $0.document } }

    /// Puts a document in force for the calls that start from now on.
    ///
    /// - Throws: INVALID_ARGUMENT with name, line, column and reason; the last good document then stays in force.
    public func apply(_ document: [UInt8], name: String = "service config") throws(RPCError) {
        // One at a time: each goes on from the one before.
        let result = state.withLock { state -> Result<Void, RPCError> in
            do {
                let config = try ServiceConfig(reading: document, name: name, balancers: balancers)
                var replaced: [any ClientInterceptor] = []
                place.replace(with: try InForce(config, after: inForce, balancers, clock, replaced: &replaced))
                state.refusal = nil
                state.document = Document(name: name, bytes: document)
                // Not when they are released: a call that waits keeps those that it went through.
                for policy in replaced { (policy as? any EndingPolicy)?.end() }
                return .success(())
            } catch {
                let error = RPCError(wrapping: error)
                state.refusal = error
                return .failure(error)
            }
        }
        tell(result, name)
        try result.get()
    }

    private func receive(_ document: Result<[UInt8], RPCError>, _ name: String) {
        switch document {
        case .success(let bytes): try? apply(bytes, name: name)
        case .failure(let error):
            state.withLock { $0.refusal = error }
            tell(.failure(error), name)
        }
    }

    private func tell(_ result: Result<Void, RPCError>, _ name: String) {
        switch result {
        case .success: observer?.policyEvent(.configurationApplied(source: name))
        case .failure(let error):
            observer?.policyEvent(.configurationRefused(source: name, reason: error.message))
        }
    }

    var inForce: InForce { place.object ?? initial }
}
