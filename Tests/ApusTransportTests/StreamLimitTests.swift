// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusTransport

/// What calls do while their server takes no more of them at once.
@Suite struct StreamLimitTests {
    private func limit(_ count: UInt32) -> [UInt16: UInt32] { [maximumConcurrentStreams: count] }

    @Test func `calls above the server's limit wait, and go out first come, first served`() async {
        let client = PlayedClient()
        let calls = await client.calls(5)
        let server = client.accept(limit(2))
        #expect(server.requests == [1, 3])
        #expect(client.handle.callsWaiting == 3)
        server.answer(3)
        #expect(server.requests == [1, 3, 5])
        server.answer(1, "first")
        server.answer(5, "third")
        server.answer(7, "fourth")
        server.answer(9, "fifth")
        #expect(await calls[0].text == "first")
        for (call, text) in zip(calls[2...], ["third", "fourth", "fifth"]) { #expect(await call.text == text) }
        #expect(client.handle.callsWaiting == 0)
    }

    @Test func `a limit that shrinks to nothing and grows again fails no call`() async {
        let client = PlayedClient()
        let first = await client.call()
        let server = client.accept(limit(2))
        server.send(.settings(limit(0)))
        let others = await client.calls(3)
        server.answer(1)
        #expect(await first.text == "fine")
        #expect(server.requests == [1])
        #expect(others.allSatisfy { !$0.isOver })
        server.send(.settings(limit(2)))
        #expect(server.requests == [1, 3, 5])
        server.send(.settings(limit(100)))
        #expect(server.requests == [1, 3, 5, 7])
        for stream: UInt32 in [3, 5, 7] { server.answer(stream) }
        for call in others { #expect(await call.text == "fine") }
    }

    @Test func `a limit that shrinks below the calls in flight lets them go on`() async {
        let client = PlayedClient()
        let calls = await client.calls(3)
        let server = client.accept(limit(3))
        server.send(.settings(limit(1)))
        let late = await client.call()
        server.answer(1)
        server.answer(3)
        #expect(server.requests.count == 3)
        server.answer(5)
        #expect(server.requests == [1, 3, 5, 7])
        server.answer(7)
        for call in calls + [late] { #expect(await call.text == "fine") }
    }

    @Test func `without a word of the server there is no limit once its SETTINGS are here`() async {
        let client = PlayedClient()
        await client.calls(150)
        let silent = client.accept(nil)
        #expect(silent.requests.isEmpty)
        silent.send(.settings)
        #expect(silent.requests.count == 150)
    }

    @Test func `a call that waits is within its deadline`() async {
        let client = PlayedClient()
        await client.call()
        let server = client.accept(limit(1))
        let late = await client.call(timeout: .seconds(5))
        let patient = await client.call(timeout: .seconds(50))
        client.loop.advance(by: .seconds(5))
        #expect(
            await late.text == "DEADLINE_EXCEEDED: deadline exceeded while waiting for the server to take more calls")
        #expect(await late.progress == .notConnected)
        #expect(client.handle.callsWaiting == 1)
        server.answer(1)
        #expect(server.requests == [1, 3])
        server.answer(3)
        #expect(await patient.text == "fine")
    }

    @Test func `a call that was cancelled while it waits is gone at once`() async {
        let client = PlayedClient()
        await client.call()
        let server = client.accept(limit(1))
        var calls = await client.calls(1000)
        for index in stride(from: 0, to: 1000, by: 2) { calls[index].stream.end(RPCError(.cancelled, "enough")) }
        #expect(client.handle.callsWaiting == 500)
        weak let cancelled = calls[0].stream
        calls.removeFirst()
        await eventually { cancelled == nil }
        server.answer(1)
        #expect(server.requests == [1, 3])
    }

    @Test func `calls that ended while a connection was made are gone at once`() async {
        let client = PlayedClient()
        let call = await client.call(waitForReady: true, timeout: .seconds(1))
        #expect(client.handle.callsWaiting == 1)
        client.loop.advance(by: .seconds(1))
        #expect(await call.text == "DEADLINE_EXCEEDED: deadline exceeded while waiting for a connection")
        #expect(client.handle.callsWaiting == 0)
        #expect(client.accept().requests.isEmpty)
    }

    @Test func `a call that the queue has no room for is UNAVAILABLE, with nothing sent`() async {
        let client = PlayedClient { $0.maximumWaitingCalls = 2 }
        await client.call()
        let server = client.accept(limit(1))
        let waiting = await client.calls(2)
        let refused = await client.call()
        let text = "2 calls wait for the server to take more calls already (TransportOptions.maximumWaitingCalls)"
        #expect(await refused.text == "UNAVAILABLE: \(text)")
        #expect(await refused.progress == .notConnected)
        waiting[0].stream.end(RPCError(.cancelled, "enough"))
        let next = await client.call()
        #expect(!next.isOver)
        server.answer(1)
        server.answer(3)
        #expect(server.requests == [1, 3, 5])
    }

    @Test func `calls that wait for a connection have the same bound`() async {
        let client = PlayedClient { $0.maximumWaitingCalls = 1 }
        await client.call()
        let refused = await client.call()
        #expect(await refused.text.hasPrefix("UNAVAILABLE: 1 calls wait for a connection already"))
    }

    @Test func `an observer hears of calls that wait, and of no others`() async {
        let observer = WaitObserver()
        let client = PlayedClient()
        await client.call()
        let server = client.accept(limit(2))
        await client.call(observer: observer)
        #expect(observer.count.value == 0)
        await client.call(observer: observer)
        #expect(observer.count.value == 1)
        server.answer(1)
        #expect(observer.count.value == 1)
    }

    private struct WaitObserver: Observer {
        let count = Counter()
        func waiting(_ call: ClientCall, for endpoint: EndpointHandle) { count.add(1) }
    }

    @Test func `a silent server is asked whether it is there while calls wait for its streams`() async {
        let client = PlayedClient { $0.keepalive = ClientKeepalive(interval: .seconds(10), timeout: .seconds(5)) }
        await client.call()
        let server = client.accept(limit(1))
        server.send(.settings(limit(0)))
        server.answer(1)
        let waiting = await client.call()
        #expect(client.pool.ways.first?.connections.first?.keepalivesSent == 0)
        client.loop.advance(by: .seconds(10))
        #expect(client.pool.ways.first?.connections.first?.keepalivesSent == 1)
        client.loop.advance(by: .seconds(5))
        #expect(server.io.isClosed)
        #expect(client.dialer.open.count == 1)
        #expect(!waiting.isOver)
    }

    @Test func `a connection for whose streams calls wait is not idle`() async {
        let client = PlayedClient { $0.idleTimeout = .seconds(5) }
        await client.call()
        let server = client.accept(limit(1))
        server.send(.settings(limit(0)))
        server.answer(1)
        let waiting = await client.call()
        client.loop.advance(by: .seconds(100))
        #expect(!server.io.isClosed)
        server.send(.settings(limit(1)))
        server.answer(3)
        #expect(await waiting.text == "fine")
    }

    // MARK: Other connections

    @Test func `calls that wait go to another connection at GOAWAY, in their order`() async {
        let client = PlayedClient()
        let first = await client.call()
        let old = client.accept(limit(1))
        let waiting = await client.calls(2)
        old.send(.goAway(last: 1, 0))
        let new = client.accept()
        #expect(new.requests == [1, 3])
        old.answer(1)
        new.answer(1, "second")
        new.answer(3, "third")
        #expect(await first.text == "fine")
        #expect(await waiting[0].text == "second")
        #expect(await waiting[1].text == "third")
        #expect(old.io.isClosed)
    }

    @Test func `calls that wait go to another connection when theirs is lost, and only sent ones fail`() async {
        let client = PlayedClient()
        let sent = await client.call()
        let old = client.accept(limit(1))
        let waiting = await client.call()
        old.end()
        #expect(await sent.text == "UNAVAILABLE: the connection was lost")
        #expect(await sent.progress == .sent)
        client.accept().answer(1, "elsewhere")
        #expect(await waiting.text == "elsewhere")
    }

    @Test func `when there is no other connection, calls that waited for one go to other endpoints`() async {
        let client = PlayedClient()
        await client.call()
        let old = client.accept(limit(1))
        let waiting = await client.call()
        old.end()
        client.refuse()
        #expect(await waiting.progress == .notSent)
        let late = await client.call()
        #expect(await late.progress == .notConnected)
    }

    @Test func `a server that takes connections but no calls, and hangs up, is not asked at once again`() async {
        let client = PlayedClient()
        let call = await client.call(timeout: .seconds(60))
        for round in 1...3 {
            #expect(client.dialer.dials.count == round)
            let server = client.accept(limit(0))
            if round == 2 { server.send(.goAway(last: 0, 0)) }
            server.end()
            #expect(client.dialer.open.isEmpty)
            #expect(client.handle.connectivity == .transientFailure)
            client.loop.advance(by: .seconds(1))
        }
        client.accept().answer(1)
        #expect(await call.text == "fine")
    }
}
