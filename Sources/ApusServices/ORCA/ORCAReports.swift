// SPDX-License-Identifier: Apache-2.0

public import ApusCore
public import ApusInterceptors
import ApusProtobuf

/// Load reports as gRPC's servers send them, for a ``WeightedRoundRobin``. Source: gRFC A51.
public struct ORCAReports: LoadReportSource {
    static let key = "endpoint-load-metrics-bin"

    private let interval: Duration?

    fileprivate init(interval: Duration?) { self.interval = interval }

    /// Whether reports come by a stream of their own.
    public var isOutOfBand: Bool { interval != nil }

    /// The report in `endpoint-load-metrics-bin`; nil when there is none, or one that cannot be read.
    public func report(in trailers: Metadata) -> LoadReport? {
        guard let bytes = trailers[binary: Self.key] else { return nil }
        return try? LoadReport(ProtobufCodec<OrcaLoadReport>.decode(MessageBytes(bytes)))
    }

    /// Receives the reports of the endpoint's `xds.service.orca.v3.OpenRcaService`.
    public func follow(
        _ handle: EndpointHandle, of target: String, through next: ClientNext,
        _ receive: @Sendable (LoadReport) -> Void
    ) async throws {
        let request = OrcaLoadReportRequest(reportInterval: interval.map { ProtobufDuration($0) })
        let method = OpenRcaService.Methods.streamCoreMetrics.descriptor
        let call = ClientCall(
            method: method, target: target, request: .one(try ProtobufCodec<OrcaLoadReportRequest>.encode(request)))
        let response = try await next.send(call, to: handle)
        guard case .stream(let source) = response.body else {
            throw RPCError(.internal, "an interceptor or transport answered \(method.path) with one message")
        }
        while let bytes = try await source.next() {
            receive(LoadReport(try ProtobufCodec<OrcaLoadReport>.decode(bytes)))
        }
    }

    static func encode(_ report: LoadReport) -> [UInt8]? {
        try? ProtobufCodec<OrcaLoadReport>.encode(OrcaLoadReport(report)).bytes
    }
}

extension LoadReportSource where Self == ORCAReports {
    /// Reports that come with the ends of calls: nothing has to be asked for, and nothing comes without calls.
    public static var perCall: ORCAReports { ORCAReports(interval: nil) }

    /// Reports that come by a stream to each endpoint that calls go to.
    ///
    /// - Parameter interval: the time between two of them; servers may take more.
    public static func outOfBand(every interval: Duration = .seconds(10)) -> ORCAReports {
        ORCAReports(interval: max(.zero, interval))
    }
}

extension LoadReport {
    package init(_ report: OrcaLoadReport) {
        self.init()
        func said(_ number: Double) -> Double? { number == 0 ? nil : number }
        cpuUtilization = said(report.cpuUtilization)
        memoryUtilization = said(report.memUtilization)
        applicationUtilization = said(report.applicationUtilization)
        requestsPerSecond = said(report.rpsFractional > 0 ? report.rpsFractional : Double(report.rps))
        errorsPerSecond = said(report.eps)
        utilization = report.utilization
        requestCost = report.requestCost
        namedMetrics = report.namedMetrics
    }
}

extension OrcaLoadReport {
    init(_ report: LoadReport) {
        self.init(
            cpuUtilization: report.cpuUtilization ?? 0, memUtilization: report.memoryUtilization ?? 0,
            requestCost: report.requestCost, utilization: report.utilization,
            rpsFractional: report.requestsPerSecond ?? 0, eps: report.errorsPerSecond ?? 0,
            namedMetrics: report.namedMetrics, applicationUtilization: report.applicationUtilization ?? 0)
    }
}

extension ORCAReports: CustomStringConvertible {
    /// `per call`, or how often they come out of band.
    public var description: String { interval.map { "out of band, each \($0)" } ?? "per call" }
}
