// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusInterceptors
import ApusServices
import ApusTestSupport
import ApusTransport
import Foundation
import Synchronization
import Testing

/// Remembers the limits under which calls passed.
private final class Limits: ClientInterceptor {
    private let limits = Mutex<[Int?]>([])

    var last: Int? { limits.withLock { $0.last ?? nil } }
    var all: Set<Int?> { limits.withLock { Set($0) } }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        limits.withLock { $0.append(call.maximumResponseBytes) }
        return try await next(call)
    }
}

private struct Answering: Service {
    var routes: [Route] { [Route(.unary) { _ in ServerResponse(message: MessageBytes("yes".utf8)) }] }
}

@Suite(.timeLimit(.minutes(10))) struct ServiceConfigReloadTests {
    private let clock = ManualClock()

    private func document(_ limit: Int) -> String {
        #"{"methodConfig": [{"name": [{}], "maxResponseMessageBytes": \#(limit)}]}"#
    }

    private func replace(_ folder: TemporaryFolder, with text: String) throws {
        try folder.write(text, to: "new")
        guard rename("\(folder.path)/new", "\(folder.path)/config.json") == 0 else {
            throw RPCError(.internal, "the file was not put in place")
        }
    }

    // Lets the file be looked at until `done`.
    private func look(until done: () -> Bool) async {
        while !done() {
            await clock.waitForSleepers()
            clock.advance(by: .seconds(1))
            await Task.yield()
        }
    }

    private func run(_ channel: Channel, calls: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<(calls / 8) {
                        guard try await channel.ask() == "yes" else { throw RPCError(.internal, "another answer") }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a thousand calls pass while the file is replaced, and the next one follows the new policy`()
        async throws
    {
        let (folder, limits, network) = (try TemporaryFolder(), Limits(), InMemoryNetwork())
        try replace(folder, with: document(1000))
        let config = LiveServiceConfig(following: FileConfig("\(folder.path)/config.json", clock: clock))
        await look { config.current.methods.first?.maximumResponseBytes == 1000 }
        let running = try network.start(Server([Answering()]), as: "server")
        let channel = Channel(
            "server", interceptors: [ServiceConfigured(config), limits, PinnedEndpoint(Endpoint(.memory("server")))],
            transport: network.transport())

        async let calls: Void = run(channel, calls: 1000)
        for limit in 1001...1020 {
            try replace(folder, with: document(limit))
            await look { config.current.methods.first?.maximumResponseBytes == limit }
        }
        try await calls
        try await channel.ask()
        #expect(limits.last == 1020)
        #expect(limits.all.isSubset(of: Set((1000...1020).map(Optional.some))))

        try replace(folder, with: "{\"methodConfig\": 7}")
        await look { config.lastRefusal != nil }
        #expect(config.lastRefusal?.message == "\(folder.path)/config.json:1:18: methodConfig is no array")
        try await channel.ask()
        #expect(limits.last == 1020)
        try folder.remove("config.json")
        await look { config.lastRefusal?.code == .unavailable }
        try await channel.ask()
        #expect(limits.last == 1020)

        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(running.counts.connections == 0)
    }
}
