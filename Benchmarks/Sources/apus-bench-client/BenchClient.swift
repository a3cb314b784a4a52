// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import BenchProtos

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

enum Mode: String, CaseIterable, ExpressibleByArgument {
    case unary, chat, download, upload, idle
}

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
        discussion: """
            An operation is a call (unary), a message there and back (chat), a message received (download) or sent \
            (upload: calls of 1,000 messages). Latency is that of the operation for unary and chat, of the whole call \
            for download and upload. After a second of warm-up it measures and prints one line of JSON. Exit status 1: \
            there were errors.
            """)

    @Option(help: "The server's port on 127.0.0.1.")
    var port: Int

    @Option(help: "unary, chat, download or upload; idle makes connections and one call on each.")
    var mode = Mode.unary

    @Option(help: "Calls, or streams, in flight.")
    var concurrency = 1

    @Option(help: "Connections.")
    var connections = 1

    @Option(help: "Seconds of measurement.")
    var seconds = 5.0

    @Option(help: "Bytes of each message's payload.")
    var payload = 16

    @Option(help: "The server's process, whose processor time is told, too.")
    var pid: Int32?

    @Option(help: "bare: one pinned endpoint; default: deadline, retry, discovery and balancing.")
    var stack = Stack.default

    @Flag(help: "TLS, with whatever certificate the server has.")
    var tls = false

    @Option(help: "Event loops.")
    var threads = 1

    @Option(help: "Where the calling tasks run: on the connections' loops, or on Swift's own pool.")
    var tasks = Place.loop

    func validate() throws {
        guard concurrency > 0, connections > 0, threads > 0, seconds > 0, (0...64 << 20).contains(payload) else {
            throw ValidationError("concurrency, connections, threads and seconds above 0, payload up to 64 MiB")
        }
    }

    func run() throws {
        let loops = try EventLoops(count: threads)
        Task {
            do {
                let errors = try await measure(on: loops)
                BenchClient.exit(withError: errors == 0 ? nil : ExitCode.failure)
            } catch {
                BenchClient.exit(withError: error)
            }
        }
        while true { pause() }
    }

    private func measure(on loops: EventLoops) async throws -> Int {
        let channels = try await Channels(self, on: loops)
        let report =
            mode == .idle
            ? try await IdleReport(channels, server: pid, seconds: seconds).line : try await run(channels, on: loops)
        print(report.json)
        fflush(nil)
        if let error = report.firstError { printError(error) }
        return report.errors
    }

    private func run(_ channels: Channels, on loops: EventLoops) async throws -> Report {
        let load = Load(mode, payload: payload)
        return try await withThrowingTaskGroup(of: Tally.self) { group in
            for number in 0..<concurrency {
                let client = channels.clients[number % connections]
                let executor = tasks == .loop ? loops.executors[number % threads] : nil
                group.addTask(executorPreference: executor) { await load.lane(number, on: client) }
            }
            try await Task.sleep(for: .seconds(1))
            let from = Moment(server: pid)
            load.phase.begin(.measurement)
            try await Task.sleep(for: .seconds(seconds))
            let to = Moment(server: pid)
            load.phase.begin(.over)
            var tally = Tally(load.phase)
            for try await lane in group { tally.add(lane) }
            return Report(self, tally, from: from, to: to)
        }
    }

    private func printError(_ text: String) {
        let line = Array("apus-bench-client: \(text)\n".utf8)
        write(STDERR_FILENO, line, line.count)
    }
}
