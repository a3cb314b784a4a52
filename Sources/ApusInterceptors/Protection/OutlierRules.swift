// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// When an endpoint is an outlier among those of its service, and how long it is ejected. Source: gRFC A50.
public struct OutlierRules: Sendable {
    /// Ejects endpoints whose share of successes is far below the others'.
    public struct SuccessRate: Sendable {
        /// How many standard deviations below the mean.
        public var deviations = 1.9
        /// The share of outliers that are ejected, in percent.
        public var enforcement = 100
        /// Endpoints with enough calls that there must be.
        public var minimumHosts = 5
        /// Calls in an interval that are enough.
        public var minimumCalls = 100

        /// 1.9 deviations among at least 5 endpoints with 100 calls each.
        public init() {}
    }

    /// Ejects endpoints whose share of failures is above a limit.
    public struct FailurePercentage: Sendable {
        /// The limit in percent.
        public var threshold = 85
        /// The share of outliers that are ejected, in percent.
        public var enforcement = 100
        /// Endpoints with enough calls that there must be.
        public var minimumHosts = 5
        /// Calls in an interval that are enough.
        public var minimumCalls = 50

        /// Above 85 % among at least 5 endpoints with 50 calls each.
        public init() {}
    }

    /// The time between two looks at all endpoints.
    public var interval: Duration = .seconds(10)
    /// The time of an endpoint's first ejection; each further one lasts as much longer.
    public var baseEjection: Duration = .seconds(30)
    /// The longest ejection.
    public var longestEjection: Duration = .seconds(300)
    /// No endpoint is ejected while this share of them is, in percent. One always may be, the last one never.
    public var maximumEjectedPercent = 10
    /// nil for not at all.
    public var successRate: SuccessRate? = SuccessRate()
    /// nil for not at all.
    public var failurePercentage: FailurePercentage? = FailurePercentage()
    /// Failures in a row that eject an endpoint at once; nil for not at all. (Not in A50, but in Envoy.)
    public var consecutiveFailures: Int? = 5
    /// The codes that count as failures; others speak against the request.
    public var faults: Set<Status.Code> = .serverFaults

    /// A50's defaults with both of its algorithms, and five failures in a row.
    public init() {}
}
