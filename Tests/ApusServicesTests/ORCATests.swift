// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusProtobuf
import ApusTransport
import Testing

@testable import ApusServices

@Suite(.timeLimit(.minutes(10))) struct ORCATests {
    private static let method = MethodDescriptor(service: "test.Service", name: "Unary", kind: .unary)

    /// Answers with nothing after it did something.
    private struct Worker: Service {
        let work: @Sendable (ServerCall) async throws -> Void

        var routes: [Route] {
            [
                Route(ORCATests.method) { call in
                    try await work(call)
                    return ServerResponse(message: MessageBytes([]))
                }
            ]
        }
    }

    private func full() -> LoadReport {
        var report = LoadReport()
        report.cpuUtilization = 0.25
        report.memoryUtilization = 0.5
        report.applicationUtilization = 1.5
        report.requestsPerSecond = 100.5
        report.errorsPerSecond = 0.125
        report.utilization = ["disk": 0.75]
        report.requestCost = ["rows": 17]
        report.namedMetrics = ["queue": -3]
        return report
    }

    private func trailers(_ channel: Channel) async throws -> Metadata {
        guard case .one(_, let trailers) = try await channel.start(Self.method, .one(MessageBytes([]))).body else {
            throw RPCError(.internal, "the answer is a stream")
        }
        return trailers
    }

    /// Serves with these interceptors and gives `body` a channel.
    private func serve(
        _ services: [any Service], _ interceptors: [any ServerInterceptor] = [],
        balancer: any ClientInterceptor = RandomBalancer(), servers: Int = 1, by way: Way = .memory,
        _ body: (Channel, [EndpointHandle]) async throws -> Void
    ) async throws {
        let (running, candidates, transport) = try way.start(
            (0..<servers).map { _ in try Server(services, interceptors: interceptors) })
        let channel = Channel("users", interceptors: [Known(candidates: candidates), balancer], transport: transport)
        try await body(channel, candidates.handles)
        channel.close()
        for running in running {
            await running.stop(grace: .seconds(10))
            #expect(running.counts.connections == 0)
            #expect(running.counts.handlers == 0)
        }
    }

    private struct Known: ClientInterceptor {
        let candidates: Candidates

        func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
            var call = call
            call.candidates = candidates
            return try await next(call)
        }
    }

    @Test func `a report comes through its message as it was`() throws {
        let report = full()
        let bytes = try #require(ORCAReports.encode(report))
        var trailers = Metadata()
        trailers.add("endpoint-load-metrics-bin", binary: bytes)
        #expect(ORCAReports.perCall.report(in: trailers) == report)
        #expect(LoadReport(OrcaLoadReport(rps: 7)).requestsPerSecond == 7)
    }

    @Test func `a balancer tells where its reports come from`() {
        func source(_ reports: ORCAReports) -> String? { WeightedRoundRobin(reports: reports).policyValues.first?.text }
        #expect(source(.perCall) == "per call")
        #expect(source(.outOfBand(every: .seconds(5))) == "out of band, each 5.0 seconds")
    }

    @Test func `bytes that are no report are none`() {
        #expect(ORCAReports.perCall.report(in: Metadata()) == nil)
        let random = SplitMixRandom(seed: 1)
        for length in 0..<2000 {
            let bytes = (0..<length % 100).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var trailers = Metadata()
            trailers.add("endpoint-load-metrics-bin", binary: bytes)
            // What random bytes happen to be is a report like any other.
            if let report = ORCAReports.perCall.report(in: trailers) { #expect(ORCAReports.encode(report) != nil) }
        }
        var broken = Metadata()
        broken.add("endpoint-load-metrics-bin", binary: [0x09, 1, 2])
        #expect(ORCAReports.perCall.report(in: broken) == nil)
    }

    @Test func `a handler's report comes with the end of its call, beside its own trailers`() async throws {
        let report = full()
        let worker = Worker { call in
            LoadRecorder.current?.update { $0 = report }
            call.setTrailers(["x-own": "7"])
        }
        try await serve([worker], [LoadReporting()]) { (channel, _) async throws in
            let trailers = try await trailers(channel)
            #expect(ORCAReports.perCall.report(in: trailers) == report)
            #expect(trailers["x-own"] == "7")
        }
    }

    @Test func `a call that fails reports, too`() async throws {
        let worker = Worker { _ in
            LoadRecorder.current?.update { $0.cpuUtilization = 0.75 }
            throw RPCError(.notFound, "no")
        }
        try await serve([worker], [LoadReporting()]) { (channel, _) async throws in
            let error = await #expect(throws: RPCError.self) { try await trailers(channel) }
            #expect(error?.code == .notFound)
            #expect(error.flatMap { ORCAReports.perCall.report(in: $0.metadata) }?.cpuUtilization == 0.75)
        }
    }

    @Test func `where a call records nothing the server's report stands`() async throws {
        let load = LoadRecorder()
        load.update { $0 = full() }
        let worker = Worker { _ in
            LoadRecorder.current?.update { report in
                report.cpuUtilization = 0.9
                report.utilization = ["disk": 0.1, "net": 0.2]
            }
        }
        var expected = full()
        expected.cpuUtilization = 0.9
        expected.utilization = ["disk": 0.1, "net": 0.2]
        try await serve([worker], [LoadReporting(of: load)]) { [expected] (channel, _) async throws in
            #expect(ORCAReports.perCall.report(in: try await trailers(channel)) == expected)
        }
    }

    @Test func `nothing recorded is nothing sent`() async throws {
        try await serve([Worker { _ in }], [LoadReporting(of: LoadRecorder())]) { (channel, _) async throws in
            #expect(try await trailers(channel).isEmpty)
        }
        let unreported = Worker { _ in #expect(LoadRecorder.current == nil) }
        try await serve([unreported]) { (channel, _) async throws in #expect(try await trailers(channel).isEmpty) }
    }

    @Test func `reports come by a stream, at once and again, without what calls cost`() async throws {
        let load = LoadRecorder()
        load.update { $0 = full() }
        let reports = LoadReports(of: load, minimumInterval: .milliseconds(1))
        try await serve([reports]) { (channel, _) async throws in
            let stream = try await OpenRcaService.Client(channel).streamCoreMetrics(OrcaLoadReportRequest())
            let first = try await stream.next()
            #expect(first?.cpuUtilization == 0.25)
            #expect(first?.requestCost == [:])
            load.update { $0.cpuUtilization = 0.5 }
            while try await stream.next()?.cpuUtilization != 0.5 {}
            stream.cancel()
            while reports.streams > 0 { await Task.yield() }
        }
    }

    @Test(arguments: [(nil, 30), (5, 30), (-1, 30), (60, 60)] as [(Int64?, Int64)])
    func `a client waits as long as it wants, and not less than the server wants`(
        _ wanted: Int64?, _ seconds: Int64
    ) async throws {
        let clock = StandingClock()
        let reports = LoadReports(of: LoadRecorder(), clock: clock)
        try await serve([reports]) { (channel, _) async throws in
            let request = OrcaLoadReportRequest(reportInterval: wanted.map { ProtobufDuration(seconds: $0) })
            let stream = try await OpenRcaService.Client(channel).streamCoreMetrics(request)
            #expect(try await stream.next() == OrcaLoadReport())
            while clock.sleeps.isEmpty { await Task.yield() }
            #expect(clock.sleeps == [.seconds(seconds)])
            stream.cancel()
        }
    }

    @Test(arguments: [
        ProtobufDuration(seconds: .max, nanos: .max), ProtobufDuration(seconds: .min, nanos: .min),
        ProtobufDuration(seconds: 1 << 40), ProtobufDuration(seconds: .max, nanos: .min),
    ])
    func `an interval that no clock reaches is a wait like any other`(_ interval: ProtobufDuration) async throws {
        let reports = LoadReports(of: LoadRecorder())
        try await serve([reports]) { (channel, _) async throws in
            let stream = try await OpenRcaService.Client(channel).streamCoreMetrics(
                OrcaLoadReportRequest(reportInterval: interval))
            #expect(try await stream.next() == OrcaLoadReport())
            while reports.streams == 0 { await Task.yield() }
            stream.cancel()
            while reports.streams > 0 { await Task.yield() }
        }
    }

    @Test func `a graceful stop ends the streams and waits for none of them`() async throws {
        let reports = LoadReports(of: LoadRecorder(), clock: StandingClock())
        try await serve([reports]) { (channel, _) async throws in
            let stream = try await OpenRcaService.Client(channel).streamCoreMetrics(OrcaLoadReportRequest())
            _ = try await stream.next()
            reports.serverWillStop()
            let error = await #expect(throws: RPCError.self) { try await stream.next() }
            #expect(error?.code == .unavailable)
            let late = try await OpenRcaService.Client(channel).streamCoreMetrics(OrcaLoadReportRequest())
            #expect(try await late.next() == OrcaLoadReport())
            await #expect(throws: RPCError.self) { try await late.next() }
        }
        #expect(reports.streams == 0)
    }

    private func rules() -> LoadWeightRules {
        var rules = LoadWeightRules()
        rules.blackout = .zero
        return rules
    }

    @Test(arguments: Way.allCases)
    func `over real connections the reports of calls are weights`(_ way: Way) async throws {
        let worker = Worker { _ in
            LoadRecorder.current?.update { report in
                report.cpuUtilization = 0.5
                report.requestsPerSecond = 100
            }
        }
        let watched = WatchedReports(base: .perCall)
        let balancer = WeightedRoundRobin(reports: watched, rules: rules())
        try await serve([worker], [LoadReporting()], balancer: balancer, servers: 2, by: way) {
            (channel, _) async throws in
            for _ in 0..<20 { _ = try await trailers(channel) }
        }
        #expect(watched.reports.count == 20)
        #expect(watched.reports.allSatisfy { $0.cpuUtilization == 0.5 })
    }

    @Test(arguments: Way.allCases)
    func `over real connections each endpoint that calls go to is asked for its reports`(_ way: Way) async throws {
        let load = LoadRecorder()
        load.update { $0.cpuUtilization = 0.5 }
        let reports = LoadReports(of: load, minimumInterval: .milliseconds(1))
        let watched = WatchedReports(base: .outOfBand(every: .zero))
        let balancer = WeightedRoundRobin(reports: watched, rules: rules())
        try await serve([Worker { _ in }, reports], balancer: balancer, servers: 2, by: way) { channel, handles in
            for _ in 0..<4 { _ = try await trailers(channel) }
            while watched.endpoints.count < 2 { await Task.yield() }
            #expect(watched.endpoints == Set(handles))
            // An endpoint that leaves keeps no stream.
            handles[0].retire()
            while handles[0].callsInFlight > 0 { await Task.yield() }
            #expect(handles[1].callsInFlight == 1)
        }
        #expect(watched.reports.allSatisfy { $0.cpuUtilization == 0.5 })
    }
}
