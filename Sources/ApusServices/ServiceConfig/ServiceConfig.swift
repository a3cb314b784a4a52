// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// gRPC's service config: what the owner of a service asks of its clients, method by method.
///
/// Besides gRPC's own fields a document may have the key `apus`, at its top and in a `methodConfig`. In its objects all
/// members may be missing; what can be turned off is turned off by `false`. Durations are texts such as `"1.5s"`.
///
/// | place | members |
/// |---|---|
/// | `methodConfig[].apus` | `perTryTimeout`, `totalTime` |
/// | `apus.circuitBreaker` | `scope` (`endpoint`, `endpointAndMethod`), `failureRate`, `slowRate`, `slowAfter`, `consecutiveFailures`, `window`, `minimumCalls`, `openFor`, `longestOpen`, `probes`, `faults` |
/// | `apus.outlierEjection` | as gRFC A50: `interval`, `baseEjectionTime`, `maxEjectionTime`, `maxEjectionPercent`, `successRateEjection` (`stdevFactor`, `enforcementPercentage`, `minimumHosts`, `requestVolume`), `failurePercentageEjection` (`threshold` and the same); and `consecutiveFailures`, `faults` |
/// | `apus.rateLimit` | `perSecond`, which it needs, and `burst`; or `calls` and `window`; `per` (`all`, `method`, `metadata:<key>`) |
/// | `apus.concurrencyLimit` | `limit`, which it needs; `queue`, `longestWait`, `priorityKey` |
///
/// Source: gRPC's *service_config.md* and service_config.proto, gRFC A6 (tries) and A21 (which documents are refused).
public struct ServiceConfig: Sendable, Equatable {
    /// What holds for the methods that one or more names stand for.
    public struct MethodConfig: Sendable, Hashable {
        /// The methods.
        public internal(set) var names: [Name] = []
        /// The longest time of a call, all its tries together.
        public internal(set) var timeout: Duration?
        /// Whether calls wait for an endpoint that can be reached; nil leaves it to the caller.
        public internal(set) var waitForReady: Bool?
        /// The largest request message, in bytes.
        public internal(set) var maximumRequestBytes: Int?
        /// The largest response message, in bytes.
        public internal(set) var maximumResponseBytes: Int?
        /// How a failed call is tried again, or tries are sent ahead.
        public internal(set) var tries = Tries.once
        /// The time of one try, under the key `apus`; for calls that are retried.
        public internal(set) var tryTimeout: Duration?
        /// No try starts later than this after the first, under the key `apus`; for calls that are retried.
        public internal(set) var totalTime: Duration?
    }

    /// The methods that a `methodConfig` is for.
    public enum Name: Sendable, Hashable {
        /// All that no other name stands for.
        case all
        /// The methods of a service that have no name of their own.
        case service(String)
        /// One method.
        case method(service: String, name: String)
    }

    /// How often a call is sent. Source: gRFC A6.
    public enum Tries: Sendable, Hashable {
        /// Once, besides the tries that no server has seen.
        case once
        /// Again after a failure.
        case retry(
            maximumAttempts: Int, initialBackoff: Duration, maximumBackoff: Duration, multiplier: Double,
            codes: Set<Status.Code>)
        /// Again before an answer is there.
        case hedge(maximumAttempts: Int, delay: Duration, nonFatal: Set<Status.Code>)
    }

    /// When retries stop because most calls fail.
    public struct RetryThrottling: Sendable, Hashable {
        /// Tokens of the full bucket, in `1...1000`.
        public internal(set) var maximumTokens: Int
        /// What a success gives back, more than zero.
        public internal(set) var tokenRatio: Double
    }

    /// A balancer and what it is told.
    struct Balancer: Sendable, Equatable {
        let name: String
        let options: JSON
    }

    /// The entries of `methodConfig`.
    public internal(set) var methods: [MethodConfig] = []
    /// `retryThrottling`.
    public internal(set) var throttling: RetryThrottling?
    /// The `serviceName` of `healthCheckConfig`; nil asks for no health checks.
    public internal(set) var healthCheckService: String?
    var balancer: Balancer?
    var protection = Protection()

    /// The balancer that was chosen from `loadBalancingConfig`; nil leaves it to the channel.
    public var balancerName: String? { balancer?.name }

    /// A config that asks for nothing.
    public init() {}

    /// The attempts that A6 lets a client make at most, whatever a document asks for.
    static let mostAttempts = 5
    /// The largest document, in bytes.
    static let maximumBytes = 256 * 1024
}
