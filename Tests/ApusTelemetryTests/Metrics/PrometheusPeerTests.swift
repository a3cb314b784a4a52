// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry
import ApusTestSupport
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
        metrics.policyEvent(.breaker(name: "b", endpoint: nil, method: nil, state: .open))
        metrics.resolved("users", candidates: Candidates([.local(1)]))
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
