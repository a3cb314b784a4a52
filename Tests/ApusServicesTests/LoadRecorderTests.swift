// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusProtobuf
import ApusTransport
import Testing

@testable import ApusServices

@Suite(.timeLimit(.minutes(10))) struct LoadRecorderTests {
    private static var numbers: [WritableKeyPath<LoadReport, Double?>] {
        [\.cpuUtilization, \.memoryUtilization, \.applicationUtilization, \.requestsPerSecond, \.errorsPerSecond]
    }
    private static var tables: [WritableKeyPath<LoadReport, [String: Double]>] {
        [\.utilization, \.requestCost, \.namedMetrics]
    }

    /// A report in which each metric is missing, zero, or some number.
    private func some(_ random: SplitMixRandom) -> LoadReport {
        func number() -> Double? {
            switch random.index(below: 3) {
            case 0: nil
            case 1: 0
            default: random.unit()
            }
        }
        var report = LoadReport()
        for path in Self.numbers { report[keyPath: path] = number() }
        for path in Self.tables {
            for name in ["a", "b", "c"] { report[keyPath: path][name] = number() }
        }
        return report
    }

    @Test func `in ten thousand pairs of reports each metric is the call's where it has one, and else the server's`() {
        let random = SplitMixRandom(seed: 51)
        for _ in 0..<10_000 {
            let (call, server) = (some(random), some(random))
            let merged = call.filled(from: server)
            for path in Self.numbers {
                let own = call[keyPath: path]
                #expect(merged[keyPath: path] == (own == nil ? server[keyPath: path] : own))
            }
            for path in Self.tables {
                for name in ["a", "b", "c"] {
                    let own = call[keyPath: path][name]
                    #expect(merged[keyPath: path][name] == (own == nil ? server[keyPath: path][name] : own))
                }
            }
            // Nothing is added up, and who says nothing changes nothing.
            #expect(merged.filled(from: server) == merged && LoadReport().filled(from: call) == call)
        }
    }

    @Test func `over ten thousand records the last one that can be stands`() {
        let random = SplitMixRandom(seed: 52)
        let recorder = LoadRecorder()
        let odd: [Double] = [-1, -0.001, .nan, .infinity, -.infinity, 1.5, 1e300, 0, 1]
        var (plain, refused) = (LoadReport(), 0)
        for _ in 0..<10_000 {
            let value = random.index(below: 2) == 0 ? random.unit() : odd[random.index(below: odd.count)]
            let isUse = value >= 0 && value.isFinite
            let isShare = isUse && value <= 1
            let name = ["a", "b"][random.index(below: 2)]
            switch random.index(below: 4) {
            case 0, 1:
                let path = Self.numbers[random.index(below: Self.numbers.count)]
                recorder.update { $0[keyPath: path] = value }
                if path == \.memoryUtilization ? isShare : isUse { plain[keyPath: path] = value } else { refused += 1 }
            case 2:
                recorder.update { $0.utilization[name] = value }
                if isShare { plain.utilization[name] = value } else { refused += 1 }
            default:
                // What a call costs is the application's affair, and what is taken back is gone.
                recorder.update {
                    $0.requestCost[name] = random.index(below: 2) == 0 ? -7 : nil
                    $0.cpuUtilization = nil
                }
                plain.cpuUtilization = nil
                plain.requestCost = recorder.report.requestCost
                #expect([nil, -7].contains(plain.requestCost[name]))
            }
            #expect(recorder.report == plain)
        }
        #expect(refused > 2000)
    }

    /// The report that a client gets of one call, and how many there were.
    private func reported(
        _ interceptors: [any ServerInterceptor], _ handler: @escaping @Sendable (ServerCall) -> Void
    ) async throws -> (report: LoadReport?, count: Int) {
        struct Worker: Service {
            let handler: @Sendable (ServerCall) -> Void
            static let method = MethodDescriptor(service: "test.Service", name: "Unary", kind: .unary)
            var routes: [Route] {
                [
                    Route(Self.method) { call in
                        handler(call)
                        return ServerResponse(message: MessageBytes([]))
                    }
                ]
            }
        }
        let network = InMemoryNetwork()
        let server = try network.start(Server([Worker(handler: handler)], interceptors: interceptors), as: "server")
        let channel = Channel(
            "users", interceptors: [PinnedEndpoint(Endpoint(.memory("server")))], transport: network.transport())
        let response = try await channel.start(Worker.method, .one(MessageBytes([])))
        channel.close()
        await server.stop(grace: .seconds(10))
        guard case .one(_, let trailers) = response.body else { throw RPCError(.internal, "a stream") }
        return (
            ORCAReports.perCall.report(in: trailers), trailers.binaryValues(of: "endpoint-load-metrics-bin").count
        )
    }

    @Test func `a call that records a zero says so, whatever the server says`() async throws {
        let load = LoadRecorder()
        load.update { $0.errorsPerSecond = 5 }
        load.update { $0.cpuUtilization = 0.5 }
        let sent = try await reported([LoadReporting(of: load)]) { _ in
            LoadRecorder.current?.update { $0.errorsPerSecond = 0 }
        }
        #expect(sent.report?.errorsPerSecond == nil && sent.report?.cpuUtilization == 0.5 && sent.count == 1)
    }

    @Test func `of two that report, the one nearer to the handler stands, and there is one report`() async throws {
        let (outer, inner) = (LoadRecorder(), LoadRecorder())
        outer.update { $0.cpuUtilization = 0.1 }
        outer.update { $0.memoryUtilization = 0.2 }
        inner.update { $0.cpuUtilization = 0.3 }
        let sent = try await reported([LoadReporting(of: outer), LoadReporting(of: inner)]) { call in
            LoadRecorder.current?.update { $0.requestCost["rows"] = 17 }
            call.setTrailers(["x-own": "7"])
        }
        var expected = LoadReport()
        (expected.cpuUtilization, expected.memoryUtilization, expected.requestCost) = (0.3, 0.2, ["rows": 17])
        #expect(sent.report == expected && sent.count == 1)
    }
}
