// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import BenchLoad
import BenchProtos
import BenchTelemetry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

enum Stack: String, CaseIterable, ExpressibleByArgument {
    case bare, `default`
}

enum Place: String, CaseIterable, ExpressibleByArgument {
    case loop, pool
}

/// Synchronous, so that the main thread stays: valgrind cannot follow a process whose main thread has exited, which is
/// what Swift's asynchronous main does.
@main
struct BenchClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-bench-client", abstract: "A closed loop of calls to a server of bench.Echo.",
        discussion: LoadOptions.discussion)

    @OptionGroup var load: LoadOptions

    @OptionGroup var telemetry: TelemetryOptions

    @Option(help: "bare: one pinned endpoint; default: deadline, retry, discovery and balancing.")
    var stack = Stack.default

    @Flag(help: "TLS, with whatever certificate the server has.")
    var tls = false

    @Option(help: "Event loops.")
    var threads = 1

    @Option(help: "Where the calling tasks run: on the connections' loops, or on Swift's own pool.")
    var tasks = Place.loop

    func run() throws {
        let loops = try EventLoops(count: threads)
        // Safe: what the command line said does not change any more.
        nonisolated(unsafe) let command = self
        Task {
            do {
                let report = try await command.measure(on: loops)
                report.show()
                BenchClient.exit(withError: report.errors == 0 ? nil : ExitCode.failure)
            } catch {
                BenchClient.exit(withError: error)
            }
        }
        while true { pause() }
    }

    private func measure(on loops: EventLoops) async throws -> Report {
        let clients = try await clients(on: loops)
        let calls = Calls(payload: load.payload)
        guard load.mode != .idle else {
            return try await calls.idle(clients, server: load.pid, seconds: load.seconds)
        }
        let executors = tasks == .loop ? loops.executors : []
        return try await ClosedLoop(load).run(on: executors) {
            clients[$0 % clients.count]
        } turn: { [mode = load.mode] in
            try await calls.turn(mode, $0, &$1, &$2)
        }
    }

    // Each channel has connections of its own.
    private func clients(on loops: EventLoops) async throws -> [Echo.Client] {
        let endpoint = Endpoint(.host("127.0.0.1", port: load.port))
        let options = transportOptions(loops)
        let registry = InMemoryRegistry()
        _ = try await registry.register(ServiceInstance(service: "bench", id: "1", endpoint: endpoint))
        let watchers = telemetry.start()
        return (0..<load.connections).map { _ in
            let interceptors = watchers.around(interceptors(registry, endpoint))
            return Echo.Client(
                Channel("bench", interceptors: interceptors, options: options, observer: watchers.observer))
        }
    }

    private func interceptors(_ registry: InMemoryRegistry, _ endpoint: Endpoint) -> [any ClientInterceptor] {
        guard stack == .default else { return [PinnedEndpoint(endpoint)] }
        var stack = DefaultStack()
        stack.timeout = timeout
        return stack.interceptors(with: registry)
    }

    // The default, but none that a stream would meet.
    private var timeout: Duration { load.mode == .unary ? .seconds(10) : .seconds(3600) }

    private func transportOptions(_ loops: EventLoops) -> TransportOptions {
        var options = TransportOptions()
        options.eventLoops = loops
        // A megabyte above the largest payload.
        options.maximumResponseBytes = 65 << 20
        if tls {
            options.tls = ClientTLS()
            options.tls?.verification = .dangerouslyAcceptAnyCertificate
        }
        return options
    }
}
