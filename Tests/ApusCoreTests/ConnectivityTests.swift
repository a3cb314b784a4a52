// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

struct ConnectivityTests {
    private let connectivity = Connectivity()

    private static let mixtures: [([ConnectivityState], ConnectivityState)] = [
        ([], .idle), ([.idle], .idle), ([.transientFailure], .transientFailure),
        ([.transientFailure, .idle], .idle), ([.transientFailure, .idle, .connecting], .connecting),
        ([.ready, .transientFailure, .idle, .connecting], .ready), ([.shutdown, .transientFailure], .transientFailure),
    ]

    @Test(arguments: mixtures)
    func `the best way counts`(_ ways: [ConnectivityState], _ expected: ConnectivityState) {
        for way in ways { connectivity.added(way) }
        #expect(connectivity.current == expected)
        for way in ways { connectivity.removed(way) }
        #expect(connectivity.current == .idle)
    }

    @Test func `a watcher sees the present state and then every change in order`() async {
        connectivity.added(.idle)
        connectivity.changed(from: .idle, to: .connecting)
        let stream = connectivity.watch()
        connectivity.changed(from: .connecting, to: .ready)
        connectivity.added(.transientFailure)
        connectivity.changed(from: .ready, to: .idle)
        connectivity.shutDown()
        connectivity.changed(from: .idle, to: .ready)
        var seen: [ConnectivityState] = []
        for await state in stream { seen.append(state) }
        #expect(seen == [.connecting, .ready, .idle, .shutdown])
        #expect(connectivity.watchers == 0)
    }

    @Test func `a watch that begins after the end says so and ends`() async {
        connectivity.shutDown()
        var seen: [ConnectivityState] = []
        for await state in connectivity.watch() { seen.append(state) }
        #expect(seen == [.shutdown])
    }

    @Test func `a watcher that lags misses the oldest changes, never the last`() async {
        connectivity.added(.idle)
        let stream = connectivity.watch()
        for _ in 0..<50 {
            connectivity.changed(from: .idle, to: .connecting)
            connectivity.changed(from: .connecting, to: .idle)
        }
        connectivity.changed(from: .idle, to: .ready)
        connectivity.shutDown()
        var seen: [ConnectivityState] = []
        for await state in stream { seen.append(state) }
        #expect(seen.count == 16)
        #expect(seen.suffix(2) == [.ready, .shutdown])
    }

    @Test func `a watcher that goes is forgotten`() async {
        do {
            let states = connectivity.watch()
            #expect(connectivity.watchers == 1)
            _ = states
        }
        #expect(connectivity.watchers == 0)
        let watching = Task { for await _ in connectivity.watch() {} }
        while connectivity.watchers == 0 { await Task.yield() }
        watching.cancel()
        await watching.value
        #expect(connectivity.watchers == 0)
    }

    @Test func `a channel over any transport is idle until it is closed`() async {
        let channel = Channel("users", interceptors: [], transport: ScriptedTransport())
        #expect(channel.state == .idle)
        let states = channel.states
        channel.close()
        #expect(channel.state == .shutdown)
        var seen: [ConnectivityState] = []
        for await state in states { seen.append(state) }
        #expect(seen == [.idle, .shutdown])
    }

    @Test func `connecting asks those who choose endpoints, and no others`() async throws {
        struct Forbidden: ClientInterceptor {
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                throw RPCError(.internal, "a connection is no call")
            }
        }
        struct Choice: RoutingInterceptor {
            let handle: EndpointHandle
            func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
                var call = call
                call.endpoint = handle
                return try await next(call)
            }
        }
        let script = ScriptedTransport()
        let handle = EndpointHandle(.local(1))
        try await Channel("users", interceptors: [Forbidden(), Choice(handle: handle)], transport: script).connect()
        #expect(script.connected == [handle])
        #expect(script.calls.isEmpty)
        let error = await #expect(throws: RPCError.self) {
            try await Channel("users", interceptors: [Forbidden()], transport: script).connect()
        }
        #expect(error?.message.hasPrefix("no endpoint was chosen to connect to") == true)
    }
}
