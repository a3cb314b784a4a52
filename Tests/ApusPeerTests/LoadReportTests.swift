// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusTestSupport
import Synchronization
import Testing

/// Weighted round robin by load reports, with a stranger's gRPC at one end: the weights are 3 to 1.
@Suite(.timeLimit(.minutes(5))) struct LoadReportTests {
    private static let utilizations = [0.1, 0.3]
    private static let callsPerSecond = 100.0
    private static let method = MethodDescriptor(service: "grpc.testing.TestService", name: "EmptyCall", kind: .unary)

    // MARK: Servers of gRPC C++

    /// Counts what comes to each of two endpoints, behind the balancer.
    private final class Counting: ClientInterceptor {
        private let first: EndpointHandle
        private let counts = Mutex((first: 0, all: 0))

        init(_ first: EndpointHandle) { self.first = first }

        func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
            if call.method == LoadReportTests.method {
                counts.withLock { counts in
                    counts.all += 1
                    if call.endpoint == first { counts.first += 1 }
                }
            }
            return try await next(call)
        }

        /// The share of the first endpoint since the last time, in percent.
        func takeShare() -> Double {
            counts.withLock { counts in
                defer { counts = (0, 0) }
                return 100 * Double(counts.first) / Double(counts.all)
            }
        }
    }

    private struct Client {
        let channel: Channel
        let counting: Counting

        func call(_ count: Int) async throws {
            for _ in 0..<count { _ = try await channel.start(LoadReportTests.method, .one(MessageBytes([]))) }
        }
    }

    /// Gives `body` a client of two servers.
    private func balance(
        _ reports: ORCAReports, _ clock: ManualClock, _ body: (Client) async throws -> Void
    ) async throws {
        let servers = try Self.utilizations.map { utilization in
            try PeerProcess(cpp: "load_server", ["\(Self.callsPerSecond)", "\(utilization)"])
        }
        defer { for server in servers { server.stop() } }
        var endpoints: [Endpoint] = []
        for server in servers {
            let line = try await server.firstLine()
            endpoints.append(Endpoint(.host("127.0.0.1", port: try #require(Int(line)))))
        }
        let candidates = Candidates(endpoints)
        let counting = Counting(candidates.handles[0])
        let balancer = WeightedRoundRobin(reports: reports, random: SplitMixRandom(seed: 3), clock: clock)
        let channel = Channel("loaded", interceptors: [FixedCandidates(candidates), balancer, counting])
        defer { channel.close() }
        try await body(Client(channel: channel, counting: counting))
    }

    @Test func `calls follow what servers of gRPC C++ report with each of them`() async throws {
        let clock = ManualClock()
        try await balance(.perCall, clock) { client in
            try await client.call(40)
            #expect(client.counting.takeShare() == 50)
            // The weights count from here on.
            clock.advance(by: LoadWeightRules().blackout)
            try await client.call(400)
            #expect((74...76).contains(client.counting.takeShare()))
        }
    }

    @Test func `calls follow what servers of gRPC C++ report by a stream`() async throws {
        let clock = ManualClock()
        try await balance(.outOfBand(every: .milliseconds(10)), clock) { client in
            var share = 0.0
            // Reports come when they come; until there are some of both, calls go by turns.
            while !(72...78).contains(share) {
                clock.advance(by: .seconds(1))
                try await client.call(200)
                share = client.counting.takeShare()
            }
        }
    }

    // MARK: A client of Python's gRPC

    /// Answers with its name.
    private struct Named: Service {
        let name: String

        var routes: [Route] {
            [Route(LoadReportTests.method) { _ in ServerResponse(message: MessageBytes(name.utf8)) }]
        }
    }

    @Test(arguments: ["per_call", "out_of_band"])
    func `the weighted round robin of Python's gRPC follows our servers' reports`(_ kind: String) async throws {
        var servers: [RunningServer] = []
        for (number, utilization) in Self.utilizations.enumerated() {
            let load = LoadRecorder()
            load.update { report in
                report.requestsPerSecond = Self.callsPerSecond
                report.applicationUtilization = utilization
            }
            let named = Named(name: "\(number)")
            // One of the ways alone: the other one is not what the client follows.
            let server =
                kind == "per_call"
                ? try Server([named], interceptors: [LoadReporting(of: load)])
                : try Server([named, LoadReports(of: load, minimumInterval: .milliseconds(100))])
            servers.append(try server.start(on: .host("127.0.0.1", port: 0)))
        }
        let addresses = servers.map { "\($0.addresses[0])" }
        let client = try PeerProcess(
            python: "Tests/Peers/load_client.py", [kind, Self.method.path, "75"] + addresses)
        defer { client.stop() }
        try await client.succeeds()
        for server in servers {
            await server.stop(grace: .seconds(30))
            #expect(server.counts.handlers == 0)
        }
    }
}
