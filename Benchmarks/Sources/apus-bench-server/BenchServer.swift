// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser

@main
struct BenchServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-bench-server", abstract: "Serves bench.Echo for load generators.")

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port: Int

    @Option(help: "Event loops.")
    var threads = 1

    func run() async throws {
        var options = ServerOptions()
        options.eventLoops = try EventLoops(count: threads)
        options.maximumRequestBytes = 64 << 20
        try await Server([EchoHandler()]).serve(on: .host("127.0.0.1", port: port), options: options) { running in
            for address in running.addresses { print("listening on \(address)") }
        }
    }
}
