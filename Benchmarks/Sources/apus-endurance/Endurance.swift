// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import BenchProtos

/// Opens many connections to a `apus-bench-server`, leaves them idle, makes many calls on them, closes them, and tells
/// after each step what either process holds.
@main
struct Endurance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-endurance", abstract: "What is left of many connections and calls, on both sides.")

    @Option(help: "The server's port.")
    var port: Int

    @Option(help: "The server's process.")
    var serverPid: Int32

    @Option(help: "Connections at once.")
    var connections = 10_000

    @Option(help: "Calls in each round.")
    var calls = 1_000_000

    @Option(help: "How often all of it is done.")
    var rounds = 2

    private static let inFlight = 128

    func run() async throws {
        print("\(ProcessUse.head("client")) \(ProcessUse.head("server"))")
        try await report("at the start")
        for round in 1...rounds {
            let channels = try await open()
            try await report("round \(round): \(connections) idle connections")
            try await call(channels)
            try await report("round \(round): \(calls) calls later")
            for channel in channels { channel.close() }
            try await settle()
            try await report("round \(round): all closed")
        }
    }

    private func open() async throws -> [Channel] {
        let channels = (0..<connections).map { _ in Channel(to: .host("127.0.0.1", port: port)) }
        try await spread(connections) { index in try await Self.echo(channels[index]) }
        return channels
    }

    private func call(_ channels: [Channel]) async throws {
        try await spread(calls) { index in try await Self.echo(channels[index % channels.count]) }
    }

    private static func echo(_ channel: Channel) async throws {
        let request = EchoRequest(payload: [1, 2, 3], name: "endurance", id: 7)
        let answer = try await Echo.Client(channel).echo(request)
        guard answer.id == 7 else { throw RPCError(.dataLoss, "another answer") }
    }

    private func spread(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            for lane in 0..<Self.inFlight {
                group.addTask {
                    for index in stride(from: lane, to: count, by: Self.inFlight) { try await body(index) }
                }
            }
            try await group.waitForAll()
        }
    }

    // Sockets are closed by and by.
    private func settle() async throws {
        for _ in 0..<100 where ProcessUse(of: serverPid).descriptors > 200 {
            try await Task.sleep(for: .milliseconds(100))
        }
        try await Task.sleep(for: .seconds(2))
    }

    private func report(_ what: String) async throws {
        try await Task.sleep(for: .seconds(1))
        print("\(ProcessUse.current.line) \(ProcessUse(of: serverPid).line)  \(what)")
    }
}
