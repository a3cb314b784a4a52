// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTelemetry
import ApusTestSupport
import ApusTransport
import Foundation
import Testing

/// Prometheus' own reader and linter of our page.
@Suite(.timeLimit(.minutes(2))) struct PrometheusPeerTests {
    /// Nothing to check it with.
    struct Missing: Error, CustomStringConvertible {
        let description = "there is no promtool: install it with 'apt-get install prometheus' or '.ci/setup --peers'"
    }

    private func check(_ page: String) throws -> (status: Int32, output: String) {
        let paths = ["/usr/bin/promtool", "/usr/local/bin/promtool", "/opt/homebrew/bin/promtool"]
        guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Missing()
        }
        let folder = try TemporaryFolder()
        try folder.write(page, to: "page")
        try folder.write("", to: "output")
        let output = try FileHandle(forWritingTo: URL(filePath: "\(folder.path)/output"))
        let child = Process()
        child.executableURL = URL(filePath: path)
        child.arguments = ["check", "metrics"]
        child.standardInput = try FileHandle(forReadingFrom: URL(filePath: "\(folder.path)/page"))
        child.standardOutput = output
        child.standardError = output
        try child.run()
        return (child.waitForEnd(), try folder.text(of: "output"))
    }

    @Test func `promtool reads all metrics of a busy process and finds nothing wrong`() async throws {
        let registry = MetricRegistry()
        let metrics = CallMetrics(registry)
        let script = ScriptedTransport()
        script.expect().fail(.unavailable, progress: .notSent)
        script.otherwise.reply()
        let channel = Channel("a \"name\"\n", interceptors: [], transport: script, observer: metrics)
        for _ in 0..<3 { try await channel.ask() }
        metrics.serverCallStarted(.inProgress())
        metrics.connectivityChanged(.local(1), from: .connecting, to: .ready)
        metrics.policyEvent(.ejected(.local(1), for: .seconds(1)))
        metrics.policyEvent(.breaker(name: "b", endpoint: nil, method: nil, from: nil, to: .open))
        metrics.resolved("users", from: nil, to: Candidates([.local(1)]))
        metrics.serverEvent(.connectionRefused(peer: .memory("x"), reason: "slow"))
        let page = PrometheusText.render(registry.families)
        let verdict = try check(page)
        #expect(verdict.status == 0, "\(verdict.output)\n\(page)")
        #expect(page.contains("grpc_client_call_duration_seconds_count"))
    }

    @Test func `promtool would have found something`() throws {
        #expect(try check("# TYPE x counter\nx{a=\"b} 1\n").status != 0)
    }
}

/// A real Prometheus reads our page and answers from it.
@Suite(.timeLimit(.minutes(10))) struct PrometheusServerTests {
    /// Answers with its request, or not at all.
    private struct Echo: Service {
        static let echo = Method<BytesCodec, BytesCodec>(service: "test.Echo", name: "Echo", kind: .unary)

        var routes: [Route] {
            [
                .unary(Self.echo) { request, _ in
                    guard !request.isEmpty else { throw RPCError(.invalidArgument, "nothing to say") }
                    return request
                }
            ]
        }
    }

    @Test func `Prometheus counts a hundred calls of a server`() async throws {
        let registry = MetricRegistry()
        let network = InMemoryNetwork()
        let running = try network.start(Server([Echo()], observer: CallMetrics(registry)), as: "echo")
        let page = try LoopbackPage(contentType: PrometheusText.contentType) {
            PrometheusText.render(registry.families)
        }
        let prometheus = try await PrometheusServer.reading(port: page.port)
        let channel = Channel(
            "echo", interceptors: [PinnedEndpoint(Endpoint(.memory("echo")))], transport: network.transport())
        for number in 0..<100 {
            let request = MessageBytes(number % 10 == 0 ? [] : [1, 2, 3])
            _ = try? await channel.unary(Echo.echo, request)
        }
        try await prometheus.wait(for: "\"100\"]", in: "sum(grpc_server_call_duration_seconds_count)")
        let good = "grpc_server_call_duration_seconds_count{grpc_method=\"test.Echo/Echo\",grpc_status=\"OK\"}"
        try await prometheus.wait(for: "\"90\"]", in: good)
        let bytes = "sum(grpc_server_call_rcvd_total_compressed_message_size_bytes_sum)"
        try await prometheus.wait(for: "\"270\"]", in: bytes)
        let median = "histogram_quantile(0.5, sum by (le) (grpc_server_call_duration_seconds_bucket)) < 100"
        #expect(await prometheus.answer(to: median)?.contains("\"value\":[") == true)
        #expect(page.requests > 0)
        prometheus.end()
        channel.close()
        await running.stop(grace: .seconds(10))
    }
}
