// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
@testable import ApusTransport
import Synchronization
import Testing

/// Servers on loopback and a channel to all of them.
enum Served {
    typealias Handler = @Sendable (ServerCall) async throws -> String

    /// The endpoints of `count` servers.
    static func endpoints(_ count: Int) -> FixedCandidates {
        FixedCandidates(Candidates((0..<count).map { Endpoint(.memory("server-\($0)")) }))
    }

    /// Serves one unary method on each server, runs `body`, and checks that nothing is left behind.
    static func run(
        _ handlers: [Handler], client: [any ClientInterceptor], server: [any ServerInterceptor] = [],
        _ body: (Channel) async throws -> Void
    ) async throws {
        let running = try handlers.map { handler in
            try Server([TextService(handler: handler)], interceptors: server)
                .start(on: .host("127.0.0.1", port: 0))
        }
        let dialer = NamedServers(addresses: running.map { $0.addresses[0] })
        let transport = HTTP2Transport(dialer: dialer, options: TransportOptions())
        let channel = Channel("users", interceptors: client, transport: transport)
        try await body(channel)
        channel.close()
        for running in running {
            await running.stop(grace: .seconds(10))
            #expect(running.counts.connections == 0)
            #expect(running.counts.handlers == 0)
        }
    }
}

/// Sockets to the servers that policies know by the numbers in their names, before there are any.
private struct NamedServers: Dialer {
    let addresses: [Endpoint.Address]
    private let sockets = SocketDialer(connectTimeout: .seconds(600), acknowledgementTimeout: nil)

    init(addresses: [Endpoint.Address]) { self.addresses = addresses }

    func dial(
        _ address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        let number = addresses.indices.first { address == .memory("server-\($0)") }
        return sockets.dial(number.map { addresses[$0] } ?? address, on: loop, answer: answer)
    }
}

private struct TextService: Service {
    let handler: Served.Handler

    var routes: [Route] {
        [Route(.unary) { ServerResponse(message: MessageBytes(try await handler($0).utf8)) }]
    }
}

/// A number that many tasks count up.
final class Count: Sendable {
    private let number = Atomic<Int>(0)
    var value: Int { number.load(ordering: .relaxed) }

    /// Adds one and tells the new value.
    @discardableResult
    func add() -> Int { number.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// Tells whether it was opened, and lets any number of tasks wait for that; a cancelled one waits no longer.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.finish() }
    }

    /// Returns when the gate is open, and to a cancelled task at once.
    func wait() async {
        // One stream for each: the cancellation of one task would end a common one for all.
        let (stream, waiter) = AsyncStream<Void>.makeStream()
        let isOpen = state.withLock { state in
            if !state.isOpen { state.waiting.append(waiter) }
            return state.isOpen
        }
        if isOpen { waiter.finish() }
        for await _ in stream {}
    }
}
