// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// How loaded a server is, as it says itself; nil for what it does not say. Source: gRFC A51.
///
/// On the wire a zero is what is not said: a report that is read has none.
public struct LoadReport: Sendable, Hashable {
    /// The share of its processors that is used; may be above 1.
    public var cpuUtilization: Double?
    /// The share of its memory that is used, `0...1`.
    public var memoryUtilization: Double?
    /// How loaded the application says it is; 1 is all that it can bear, and more is possible.
    public var applicationUtilization: Double?
    /// Calls a second.
    public var requestsPerSecond: Double?
    /// Calls a second that failed.
    public var errorsPerSecond: Double?
    /// Shares of other resources that are used, `0...1`, by names of the application.
    public var utilization: [String: Double] = [:]
    /// What the call cost that the report came with, by names of the application.
    public var requestCost: [String: Double] = [:]
    /// Other measures, by names of the application.
    public var namedMetrics: [String: Double] = [:]

    /// A report that says nothing.
    public init() {}

    /// What this report says, a zero included, and where it says nothing, what `other` does.
    public func filled(from other: LoadReport) -> LoadReport {
        var filled = self
        filled.cpuUtilization = cpuUtilization ?? other.cpuUtilization
        filled.memoryUtilization = memoryUtilization ?? other.memoryUtilization
        filled.applicationUtilization = applicationUtilization ?? other.applicationUtilization
        filled.requestsPerSecond = requestsPerSecond ?? other.requestsPerSecond
        filled.errorsPerSecond = errorsPerSecond ?? other.errorsPerSecond
        filled.utilization.merge(other.utilization) { own, _ in own }
        filled.requestCost.merge(other.requestCost) { own, _ in own }
        filled.namedMetrics.merge(other.namedMetrics) { own, _ in own }
        return filled
    }
}

/// Where the load reports of a service's endpoints come from.
public protocol LoadReportSource: Sendable {
    /// Whether reports come by ``follow(_:of:through:_:)``, and not with the ends of calls.
    var isOutOfBand: Bool { get }

    /// The report in the trailing metadata of a call; nil when there is none.
    func report(in trailers: Metadata) -> LoadReport?

    /// Receives the reports of an endpoint until they end or the task is cancelled.
    ///
    /// - Parameters:
    ///   - target: the name of the service.
    ///   - next: the way to the endpoint: what stands behind the balancer.
    /// - Throws: why no more reports come. UNIMPLEMENTED means that none ever will.
    func follow(
        _ handle: EndpointHandle, of target: String, through next: ClientNext,
        _ receive: @Sendable (LoadReport) -> Void
    ) async throws
}
