// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization
import Testing

@testable import ApusTransport

/// What a channel says of its way to a service, and how calls that wait for it behave.
@Suite struct ChannelStateTests {
    private let two = [EndpointHandle(Endpoint(.memory("a"))), EndpointHandle(Endpoint(.memory("b")))]

    @Test func `a channel goes from idle to ready by a call, and back when its connection is lost`() async throws {
        let network = InMemoryNetwork()
        let channel = Channel("echo", interceptors: [ToEndpoint(.memory("echo"))], transport: network.transport())
        var states = channel.states.makeAsyncIterator()
        #expect(await states.next() == .idle)
        let running = try network.start(try Server([EchoService()]), as: "echo")
        _ = try await channel.unary(EchoService.Methods.echo, MessageBytes("x"))
        #expect(channel.state == .ready)
        #expect(await states.next() == .connecting)
        #expect(await states.next() == .ready)
        running.stopNow()
        #expect(await states.next() == .idle)
        channel.close()
        #expect(await states.next() == .shutdown)
        #expect(await states.next() == nil)
        #expect(channel.state == .shutdown)
    }

    @Test func `a channel is connected without a call, and told of failure`() async throws {
        let network = InMemoryNetwork()
        let channel = Channel("echo", interceptors: [ToEndpoint(.memory("echo"))], transport: network.transport())
        try await channel.connect()
        for await state in channel.states where state == .transientFailure { break }
        // It would try again by itself.
        channel.close()
        let running = try network.start(try Server([EchoService()]), as: "echo")
        let other = Channel("echo", interceptors: [ToEndpoint(.memory("echo"))], transport: network.transport())
        try await other.connect()
        for await state in other.states where state == .ready { break }
        #expect(running.counts.connections == 1)
        try await other.connect()
        #expect(try await other.unary(EchoService.Methods.echo, MessageBytes("x")).message.text == "x")
        #expect(running.counts.connections == 1)
        other.close()
        await running.stop()
    }

    @Test func `an observer hears of a connection that no call has asked for`() async throws {
        let network = InMemoryNetwork()
        let running = try network.start(try Server([EchoService()]), as: "echo")
        let changes = Changes()
        let channel = Channel(
            "echo", interceptors: [ToEndpoint(.memory("echo"))], transport: network.transport(), observer: changes)
        try await channel.connect()
        for await state in channel.states where state == .ready { break }
        _ = try await channel.unary(EchoService.Methods.echo, MessageBytes("x"))
        running.stopNow()
        for await state in channel.states where state == .idle { break }
        #expect(changes.all.withLock { $0 } == ["idle connecting", "connecting ready", "ready idle"])
        channel.close()
    }

    @Test func `a try that never left has sent no bytes`() async {
        let client = PlayedClient()
        let call = await client.call(observer: Changes())
        let server = client.accept(nil)
        // The call goes to nghttp2 with the SETTINGS, and comes back with what stands behind them.
        server.send(.settings([:]), .settingsAck, .goAway(last: 0, 0))
        #expect(await call.progress == .notSent)
        #expect(call.stream.call.record?.sentMessages == 0)
        let second = await client.call(observer: Changes())
        client.accept().answer(1)
        #expect(await second.text == "fine")
        #expect(second.stream.call.record?.sentMessages == 1)
        #expect(second.stream.call.record?.sentBytes == 5)
    }

    @Test func `connecting makes one connection, and none beside one`() {
        let client = PlayedClient()
        client.pool.connect(to: client.handle)
        client.pool.connect(to: client.handle)
        #expect(client.dialer.dials.count == 1)
        #expect(client.connectivity.current == .connecting)
        _ = client.accept()
        client.pool.connect(to: client.handle)
        #expect(client.dialer.dials.count == 1)
        #expect(client.connectivity.current == .ready)
    }

    @Test func `a channel of several endpoints is as well as the best of them`() async {
        let client = PlayedClient()
        await client.call(to: two[0], waitForReady: true)
        client.refuse()
        #expect(client.connectivity.current == .transientFailure)
        await client.call(to: two[1])
        #expect(client.connectivity.current == .connecting)
        let server = client.accept()
        #expect(client.connectivity.current == .ready)
        server.answer(1)
        two[1].retire()
        client.loop.turn()
        #expect(client.connectivity.current == .transientFailure)
    }

    @Test func `balancers see an endpoint that is tried again as out of reach until it answers`() async {
        let client = PlayedClient()
        let patient = await client.call(waitForReady: true)
        #expect(client.handle.connectivity == .connecting)
        for _ in 0..<3 {
            client.refuse()
            #expect(client.handle.connectivity == .transientFailure)
            client.loop.advance(by: .seconds(100))
            #expect(client.connectivity.current == .connecting && client.handle.connectivity == .transientFailure)
        }
        let server = client.accept()
        #expect(client.handle.connectivity == .ready)
        server.answer(1)
        #expect(await patient.text == "fine")
    }

    @Test func `an endpoint that one loop cannot reach is out of reach while no other loop has a connection`() async {
        let (first, second) = (PlayedClient(), PlayedClient())
        let handle = first.handle
        await first.call(waitForReady: true)
        second.pool.connect(to: handle)
        first.refuse()
        #expect(handle.connectivity == .transientFailure)
        let server = second.accept()
        #expect(handle.connectivity == .ready)
        server.end()
        second.loop.turn()
        #expect(handle.connectivity == .transientFailure)
        first.loop.advance(by: .seconds(100))
        _ = first.accept()
        #expect(handle.connectivity == .ready)
        handle.retire()
        first.loop.turn()
        second.loop.turn()
        #expect(handle.connectivity == .shutdown)
    }

    @Test func `a call that waits for ready waits through failures of its only endpoint`() async {
        let client = PlayedClient()
        let patient = await client.call(waitForReady: true)
        let hasty = await client.call()
        client.refuse()
        #expect(await hasty.text == "UNAVAILABLE: connect memory:a: refused")
        let late = await client.call(waitForReady: true)
        let hastyToo = await client.call()
        #expect(await hastyToo.progress == .notConnected)
        client.loop.advance(by: .seconds(1))
        client.refuse()
        #expect(!patient.isOver && !late.isOver)
        client.loop.advance(by: .milliseconds(1600))
        let server = client.accept()
        #expect(server.requests == [1, 3])
        server.answer(1)
        server.answer(3)
        #expect(await patient.text == "fine")
        #expect(await late.text == "fine")
    }

    @Test func `a call that waits for ready is handed back to its balancer when its endpoint fails`() async {
        let client = PlayedClient()
        let call = await client.call(to: two[0], among: two, waitForReady: true)
        client.refuse()
        #expect(await call.progress == .notSent)
    }

    @Test func `a call that waits for ready goes to another endpoint as soon as that can be reached`() async {
        let client = PlayedClient()
        await client.call(to: two[0])
        client.refuse()
        let call = await client.call(to: two[0], among: two, waitForReady: true)
        let only = await client.call(to: two[0], waitForReady: true)
        await client.call(to: two[1])
        #expect(!call.isOver)
        _ = client.accept()
        #expect(await call.progress == .notSent)
        #expect(!only.isOver)
    }

    @Test func `failures make ever longer waits, and SETTINGS end the row`() async {
        let client = PlayedClient()
        await client.call(waitForReady: true)
        for wait in [1000, 1600, 2560] {
            client.refuse()
            client.loop.advance(by: .milliseconds(wait - 1))
            #expect(client.dialer.open.isEmpty)
            client.loop.advance(by: .milliseconds(1))
            #expect(client.dialer.open.count == 1)
        }
        // A connection that says nothing is a failure like any other, after its ten seconds.
        let silent = client.accept(nil)
        client.loop.advance(by: .seconds(10))
        #expect(silent.io.isClosed)
        client.loop.advance(by: .milliseconds(4096))
        let server = client.accept()
        #expect(server.requests == [1])
        server.end()
        await client.call(waitForReady: true)
        client.refuse()
        client.loop.advance(by: .milliseconds(1000))
        #expect(client.dialer.open.count == 1)
    }

    @Test func `a connection without calls is closed in time, and the next call makes another`() async {
        let client = PlayedClient { $0.idleTimeout = .seconds(30) }
        await client.call()
        let server = client.accept()
        client.loop.advance(by: .seconds(100))
        #expect(!server.io.isClosed)
        server.answer(1)
        client.loop.advance(by: .seconds(29))
        #expect(!server.io.isClosed)
        client.loop.advance(by: .seconds(1))
        #expect(server.io.isClosed)
        #expect(client.connectivity.current == .idle)
        #expect(client.dialer.open.isEmpty)
        await client.call()
        #expect(client.dialer.open.count == 1)
    }
}

/// Keeps the changes of a channel's ways.
private final class Changes: Observer {
    let all = Mutex<[String]>([])

    func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        all.withLock { $0.append("\(old) \(new)") }
    }
}
