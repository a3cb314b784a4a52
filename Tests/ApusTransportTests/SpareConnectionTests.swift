// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusTransport

/// When an endpoint gets another connection, and when it loses it again.
@Suite struct SpareConnectionTests {
    private let one: [UInt16: UInt32] = [maximumConcurrentStreams: 1]

    @Test func `another connection is made when the streams run out, up to the maximum`() async {
        let client = PlayedClient { $0.maximumConnectionsPerEndpoint = 2 }
        let calls = await client.calls(4)
        let first = client.accept(one)
        let second = client.accept(one)
        #expect(client.dialer.dials.count == 2)
        #expect(first.requests == [1] && second.requests == [1])
        #expect(client.handle.callsWaiting == 2)
        second.answer(1, "b")
        #expect(second.requests == [1, 3])
        first.answer(1, "a")
        #expect(first.requests == [1, 3])
        first.answer(3, "d")
        second.answer(3, "c")
        for (call, text) in zip(calls, ["a", "b", "c", "d"]) { #expect(await call.text == text) }
    }

    @Test func `one connection is the default`() async {
        let client = PlayedClient()
        await client.calls(3)
        _ = client.accept(one)
        #expect(client.dialer.dials.count == 1)
    }

    @Test func `a spare connection that is idle is closed, the first one stays`() async {
        let client = PlayedClient { $0.maximumConnectionsPerEndpoint = 2 }
        await client.calls(2)
        let first = client.accept(one)
        let second = client.accept(one)
        first.answer(1)
        second.answer(1)
        client.loop.advance(by: .seconds(59))
        #expect(!second.io.isClosed)
        client.loop.advance(by: .seconds(1))
        #expect(second.io.isClosed && !first.io.isClosed)
        #expect(client.handle.connectivity == .ready)
        client.loop.advance(by: .seconds(1740))
        #expect(first.io.isClosed)
        #expect(client.handle.connectivity == .idle)
        #expect(client.dialer.dials.count == 2)
    }

    @Test func `a spare connection that is left alone takes the first one's place`() async {
        let client = PlayedClient { $0.maximumConnectionsPerEndpoint = 2 }
        await client.calls(2)
        let first = client.accept(one)
        let second = client.accept(one)
        first.answer(1)
        second.answer(1)
        first.end()
        client.loop.advance(by: .seconds(61))
        #expect(!second.io.isClosed)
        await client.call()
        #expect(second.requests == [1, 3])
    }

    @Test func `a spare connection that cannot be made fails nobody`() async {
        let client = PlayedClient { $0.maximumConnectionsPerEndpoint = 2 }
        let calls = await client.calls(2)
        let first = client.accept(one)
        client.refuse()
        #expect(client.handle.connectivity == .ready)
        #expect(!calls[1].isOver)
        client.loop.advance(by: .seconds(1))
        #expect(client.dialer.open.count == 1)
        first.answer(1)
        first.answer(3)
        #expect(await calls[1].text == "fine")
    }

    @Test func `the only connection lost while a spare one could not be made fails calls that wait`() async {
        let client = PlayedClient { $0.maximumConnectionsPerEndpoint = 2 }
        let calls = await client.calls(2)
        let first = client.accept(one)
        client.refuse()
        first.end()
        #expect(await calls[1].progress == .notSent)
        #expect(client.handle.connectivity == .transientFailure)
    }

    @Test func `a connection is replaced before its stream identifiers run out`() async {
        let client = PlayedClient { $0.lastUsableStream = 9 }
        let calls = await client.calls(2)
        let old = client.accept()
        #expect(client.dialer.dials.count == 1)
        // The third call of five goes out on stream 5: the end comes near.
        let third = await client.call()
        #expect(old.requests == [1, 3, 5])
        #expect(client.dialer.dials.count == 2)
        let fourth = await client.call()
        #expect(old.requests == [1, 3, 5, 7])
        let new = client.accept()
        let fifth = await client.call()
        #expect(old.requests == [1, 3, 5, 7] && new.requests == [1])
        for stream: UInt32 in [1, 3, 5, 7] { old.answer(stream) }
        #expect(old.io.isClosed)
        new.answer(1)
        for call in calls + [third, fourth, fifth] { #expect(await call.text == "fine") }
    }

    @Test func `calls wait for the replacement of a connection whose identifiers are used up`() async {
        let client = PlayedClient { $0.lastUsableStream = 3 }
        let calls = await client.calls(3)
        let old = client.accept()
        #expect(old.requests == [1, 3])
        #expect(!calls[2].isOver)
        let new = client.accept()
        #expect(new.requests == [1])
        old.answer(1)
        old.answer(3)
        new.answer(1)
        for call in calls { #expect(await call.text == "fine") }
        #expect(old.io.isClosed && !new.io.isClosed)
    }

    @Test func `a retired endpoint sends calls that wait elsewhere and lets the others finish`() async {
        let client = PlayedClient()
        let sent = await client.call()
        let server = client.accept(one)
        let waiting = await client.call()
        client.handle.retire()
        client.loop.turn()
        #expect(await waiting.progress == .notSent)
        #expect(!sent.isOver && !server.io.isClosed)
        server.answer(1)
        #expect(await sent.text == "fine")
        #expect(server.io.isClosed)
        #expect(client.handle.connectivity == .shutdown)
    }
}
