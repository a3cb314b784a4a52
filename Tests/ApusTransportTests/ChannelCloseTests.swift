// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

@testable import ApusTransport

/// Every way in which a channel ends, and what becomes of its calls.
@Suite struct ChannelCloseTests {
    private let closed = "the channel is closed"

    @Test(arguments: Medium.allCases)
    func `calls in flight fail when their channel is closed, later ones at once`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        let channel = pair.channel
        let unary = Task { try await channel.unary(EchoService.Methods.hang, MessageBytes("x")) }
        let chat = channel.bidirectional(EchoService.Methods.chat)
        try await chat.requests.write(MessageBytes("x"))
        let responses = try await chat.responses()
        #expect(try await responses.next()?.text == "x")
        try await pair.service.hung.wait()
        channel.close()
        channel.close()
        let result = await unary.result
        let error = #expect(throws: RPCError.self) { try result.get() }
        #expect(error?.status == Status(.unavailable, "the connection was lost"))
        #expect(error?.cause == closed)
        let read = await #expect(throws: RPCError.self) { try await responses.next() }
        #expect(read?.code == .unavailable)
        await #expect(throws: RPCError.self) {
            while true { try await chat.requests.write(MessageBytes("x")) }
        }
        #expect(await BadServerTests.outcome(channel) == "UNAVAILABLE: \(closed)")
        try await pair.service.cancelled.wait()
        await eventually { pair.running.counts.connections == 0 }
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a channel that is released ends its streams and connections`(_ medium: Medium) async throws {
        let network = InMemoryNetwork()
        let server = try Server([EchoService()])
        let running =
            switch medium {
            case .memory: try network.start(server, as: "echo")
            case .tcp: try server.start(on: .host("127.0.0.1", port: 0))
            }
        let stream = try await Self.stream(
            Channel(
                "echo", interceptors: [ToEndpoint(running.addresses[0])],
                transport: medium == .memory ? network.transport() : HTTP2Transport()))
        let error = await #expect(throws: RPCError.self) { while try await stream.next() != nil {} }
        #expect(error?.code == .unavailable)
        #expect(error?.cause == closed)
        await eventually { running.counts.connections == 0 && running.counts.handlers == 0 }
        await running.stop()
    }

    // Far more messages than any window holds.
    private static func stream(_ channel: Channel) async throws -> ResponseStream<BytesCodec> {
        let stream = try await channel.serverStreaming(
            EchoService.Methods.repeatTimes, MessageBytes([0xff, 0xff, 0xff]))
        _ = try await stream.next()
        return stream
    }

    @Test func `a call that is made on a loop right behind the close is not sent`() async throws {
        let pair = try Pair(.memory)
        let channel = pair.channel
        let loop = try EventLoops.shared().loops[0]
        let outcome = Task(executorPreference: loop) {
            // So that the loop's own connection is there.
            #expect(await BadServerTests.outcome(channel) == "hello")
            channel.close()
            return await BadServerTests.outcome(channel)
        }
        #expect(await outcome.value == "UNAVAILABLE: \(closed)")
        await pair.close()
    }

    @Test func `a call keeps the channel that it was made on`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        let answer = try await Channel("echo", interceptors: [ToEndpoint(address)])
            .unary(EchoService.Methods.echo, MessageBytes("still here"))
        #expect(answer.message.text == "still here")
        await pair.close()
    }

    @Test func `closed while it connects, a channel gives the connection up`() async {
        let client = PlayedClient()
        let calls = [await client.call(), await client.call(waitForReady: true)]
        client.pool.close(closed)
        for call in calls {
            #expect(await call.text == "UNAVAILABLE: \(closed)")
            #expect(await call.progress == .notConnected)
        }
        #expect(client.dialer.dials[0].isCancelled)
        expectNothingLeft(client)
    }

    @Test func `closed during the handshake, a channel closes the connection`() async {
        let client = PlayedClient()
        let call = await client.call()
        let server = client.accept(nil)
        client.pool.close(closed)
        #expect(await call.text == "UNAVAILABLE: \(closed)")
        #expect(server.io.isClosed)
        expectNothingLeft(client)
    }

    @Test func `closed between two connections, a channel makes no other`() async {
        let client = PlayedClient()
        let call = await client.call(waitForReady: true)
        client.refuse()
        client.pool.close(closed)
        #expect(await call.text == "UNAVAILABLE: \(closed)")
        client.loop.advance(by: .seconds(600))
        #expect(client.dialer.dials.count == 1)
        expectNothingLeft(client)
    }

    @Test func `closed with a full queue, a channel fails all who wait and those in flight`() async {
        let client = PlayedClient { $0.maximumWaitingCalls = 50 }
        let sent = await client.call()
        let server = client.accept([maximumConcurrentStreams: 1])
        let waiting = await client.calls(50)
        let refused = await client.call()
        #expect(refused.isOver)
        client.pool.close(closed)
        #expect(await sent.progress == .sent)
        for call in waiting { #expect(await call.progress == .notConnected) }
        #expect(server.io.isClosed)
        expectNothingLeft(client)
        let late = await client.call()
        #expect(await late.text == "UNAVAILABLE: \(closed)")
    }

    @Test func `closed while a drained connection finishes, a channel closes that too`() async {
        let client = PlayedClient()
        let call = await client.call()
        let server = client.accept()
        server.send(.goAway(last: 1, 0))
        client.pool.close(closed)
        #expect(await call.text == "UNAVAILABLE: the connection was lost")
        #expect(server.io.isClosed)
        expectNothingLeft(client)
    }

    // Endpoints outlive a channel: others may use them.
    private func expectNothingLeft(_ client: PlayedClient) {
        client.loop.turn()
        #expect(client.loop.timerCount == 0)
        #expect(client.handle.callsWaiting == 0)
        #expect(client.handle.retireHooks == 0)
        #expect(client.handle.connectivity == .idle)
    }

    @Test func `a closed channel tries no call again`() async throws {
        let pair = try Pair(.memory)
        let clock = ManualClock()
        let retry = Retry(try .fixed(total: .seconds(3600), interval: .seconds(60)), clock: clock)
        let target = ToEndpoint(pair.running.addresses[0])
        let network = InMemoryNetwork()
        let running = try network.start(try Server([pair.service]), as: "echo")
        let channel = Channel("echo", interceptors: [retry, target], transport: network.transport())
        let call = Task { try await channel.unary(EchoService.Methods.hang, MessageBytes("x")) }
        // A call that waits for its next try does so for ever on this clock: it ends in another way then.
        let watch = Task {
            await clock.waitForSleepers()
            call.cancel()
        }
        try await pair.service.hung.wait()
        channel.close()
        let result = await call.result
        let error = #expect(throws: RPCError.self) { try result.get() }
        #expect(error?.cause == closed)
        let sleeper = Task { try await clock.sleep(until: clock.now.advanced(by: .seconds(1))) }
        await watch.value
        clock.advance(by: .seconds(1))
        try await sleeper.value
        running.stopNow()
        await running.waitUntilStopped()
        await pair.close()
    }
}
