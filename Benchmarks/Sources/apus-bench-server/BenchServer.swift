// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Synchronous, so that the main thread stays: valgrind cannot follow a process whose main thread has exited, which is
/// what Swift's asynchronous main does.
@main
struct BenchServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-bench-server", abstract: "Serves bench.Echo for load generators.")

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port: Int

    @Option(help: "Event loops.")
    var threads = 1

    func run() throws {
        var options = ServerOptions()
        options.eventLoops = try EventLoops(count: threads)
        options.maximumRequestBytes = 64 << 20
        let server = try Server([EchoHandler()])
        let address = Endpoint.Address.host("127.0.0.1", port: port)
        Task { [options] in
            do {
                try await server.serve(on: address, options: options) { running in
                    for address in running.addresses { print("listening on \(address)") }
                }
                BenchServer.exit()
            } catch {
                BenchServer.exit(withError: error)
            }
        }
        while true { pause() }
    }
}
