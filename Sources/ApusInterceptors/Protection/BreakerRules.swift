// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// When a circuit breaker opens, and how it finds out that it may close.
public struct BreakerRules: Sendable {
    /// The share of failed calls in the window at which it opens; nil never does.
    public var failureRate: Double? = 0.5
    /// Failures in a row at which it opens, however few calls there were; nil never does.
    public var consecutiveFailures: Int?
    /// The share of slow calls in the window at which it opens; nil never does.
    public var slowRate: Double?
    /// A call is slow when its answer, or the head of a streamed one, takes at least this long.
    public var slowAfter: Duration = .seconds(1)
    /// The time over which shares are computed.
    public var window: Duration = .seconds(10)
    /// Shares of fewer calls than this say nothing.
    public var minimumCalls = 20
    /// How long it stays open.
    public var openFor: Duration = .seconds(5)
    /// Each probe that fails doubles the time that it stays open, up to this.
    public var longestOpen: Duration = .seconds(60)
    /// Calls that pass when that time is over: it closes when all of them succeed, and opens again when one fails.
    public var probes = 3
    /// The codes that count as failures.
    public var faults: Set<Status.Code> = .serverFaults

    /// Opens when half of at least 20 calls in 10 seconds failed, for 5 seconds, and closes after 3 probes.
    public init() {}
}
