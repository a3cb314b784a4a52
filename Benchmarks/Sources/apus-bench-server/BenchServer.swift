// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import BenchTelemetry
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

enum Stack: String, CaseIterable, ExpressibleByArgument {
    case bare, `default`, collector
}

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

    @Option(help: "The certificate in PEM, with its chain; TLS, if it is given.")
    var tlsCert: String?

    @Option(help: "The certificate's private key in PEM.")
    var tlsKey: String?

    @Option(help: "bare: the service alone; default: with health and reflection beside it; collector: instead of it.")
    var stack = Stack.default

    @OptionGroup var telemetry: TelemetryOptions

    func validate() throws {
        guard (tlsCert == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-cert and --tls-key belong together")
        }
    }

    func run() throws {
        let options = try serverOptions()
        let watchers = telemetry.start()
        let server = try Server(services(), interceptors: watchers.server, observer: watchers.observer)
        let address = Endpoint.Address.host("127.0.0.1", port: port)
        Task {
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

    private func serverOptions() throws -> ServerOptions {
        var options = ServerOptions()
        options.eventLoops = try EventLoops(count: threads)
        // A megabyte above the largest payload of the load generators.
        options.maximumRequestBytes = 65 << 20
        if let tlsCert, let tlsKey { options.tls = ServerTLS(.files(chain: tlsCert, privateKey: tlsKey)) }
        return options
    }

    private func services() throws -> [any Service] {
        if stack == .collector { return [Collector()] }
        let echo = EchoHandler()
        guard stack == .default else { return [echo] }
        let health = Health(serving: [echo])
        return [echo, health, try Reflection([echo, health])]
    }
}
