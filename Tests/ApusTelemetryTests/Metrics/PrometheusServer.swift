// SPDX-License-Identifier: Apache-2.0

import ApusTestSupport
import Foundation
import Synchronization

/// Debian's Prometheus in a process of its own, which reads one page every second. Released, it is ended.
final class PrometheusServer: Sendable {
    /// Nothing to run it with.
    struct Missing: Error, CustomStringConvertible {
        let description = "there is no prometheus: install it with 'apt-get install prometheus' or '.ci/setup --peers'"
    }

    /// It does not serve.
    struct Failure: Error, CustomStringConvertible {
        let output: String
        var description: String { "prometheus does not serve:\n\(output.suffix(4000))" }
    }

    private let port: Int
    private let folder: TemporaryFolder
    // Foundation's Process is not Sendable: it is used under this lock only.
    private let process = Mutex<Process?>(nil)

    /// Starts one, and waits until it serves.
    ///
    /// - Throws: ``Missing`` with the command that installs it; ``Failure`` with what it printed.
    static func reading(port page: Int) async throws -> PrometheusServer {
        var last = Failure(output: "")
        // Its port may have been taken by somebody else before it was bound.
        for _ in 0..<5 {
            let server = try PrometheusServer(reading: page)
            if await server.isReady() { return server }
            last = Failure(output: server.output)
        }
        throw last
    }

    private init(reading page: Int) throws {
        let paths = ["/usr/bin/prometheus", "/usr/local/bin/prometheus", "/opt/homebrew/bin/prometheus"]
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else { throw Missing() }
        folder = try TemporaryFolder()
        port = try LoopbackHTTP.freePort()
        try folder.write(
            """
            global: { scrape_interval: 1s, scrape_timeout: 1s }
            scrape_configs:
              - job_name: apus
                static_configs: [{ targets: ["127.0.0.1:\(page)"] }]
            """, to: "prometheus.yml")
        try folder.write("", to: "output")
        let log = try FileHandle(forWritingTo: URL(filePath: "\(folder.path)/output"))
        let child = Process()
        child.executableURL = URL(filePath: path)
        child.arguments = [
            "--config.file=\(folder.path)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data",
            "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
        ]
        child.standardInput = FileHandle.nullDevice
        child.standardOutput = log
        child.standardError = log
        try child.run()
        process.withLock { $0 = child }
    }

    deinit { end() }

    /// Asks it to end, and waits until it has.
    func end() {
        process.withLock { process in
            guard let child = process.take() else { return }
            if child.isRunning { _ = kill(child.processIdentifier, SIGTERM) }
            _ = child.waitForEnd()
        }
    }

    private var output: String { (try? folder.text(of: "output")) ?? "" }

    private func isReady() async -> Bool {
        while process.withLock({ $0?.isRunning == true }) {
            if let answer = await LoopbackHTTP.get("/-/ready", port: port), answer.hasPrefix("HTTP/1.1 200") {
                return true
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// The answer to a query in Prometheus' own language, as JSON behind its head; nil when there was none.
    func answer(to query: String) async -> String? {
        let escaped = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return await LoopbackHTTP.get("/api/v1/query?query=\(escaped)", port: port)
    }

    /// Asks until the answer has the text; a test's time limit ends what never comes.
    func wait(for text: String, in query: String) async throws {
        while await answer(to: query)?.contains(text) != true { try await Task.sleep(for: .milliseconds(200)) }
    }
}
