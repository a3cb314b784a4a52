// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

@Suite struct HTTP2SessionTests {
    @Test func `both ends exchange settings`() throws {
        let pair = try SessionPair()
        try pair.exchange()
        #expect(pair.client.events == ["settings"])
        #expect(pair.server.events == ["settings"])
        #expect(pair.client.session.acceptsRequests)
        #expect(!pair.client.session.isFinished && !pair.server.session.isFinished)
    }

    @Test func `a request and its answer with trailers pass in order`() throws {
        let pair = try SessionPair()
        pair.server.onFields = { [server = pair.server] stream in
            stream.outgoing = Array("answer".utf8)
            stream.ends = true
            stream.lastWords = SessionPair.trailers("0")
            server.session.submitResponse(SessionPair.ok, stream: stream)
        }
        let request = try pair.request(Array("question".utf8))
        #expect(request.id == 1)
        try pair.exchange()
        #expect(
            pair.server.streams.first?.events == [
                "fields :method=POST :scheme=http :path=/a :authority=test", "end after 8", "sent headers",
                "sent headers end", "closed 0",
            ])
        #expect(
            request.events == ["sent headers", "fields :status=200", "fields grpc-status=0 end", "closed 0"])
        #expect(request.received == Array("answer".utf8))
        #expect(pair.client.session.streamCount == 0 && pair.server.session.streamCount == 0)
    }

    @Test func `an answer may be headers alone`() throws {
        let pair = try SessionPair()
        pair.server.onFields = { [server = pair.server] in
            server.session.submitResponse(SessionPair.ok, stream: $0, end: true)
        }
        let request = try pair.request()
        try pair.exchange()
        #expect(request.events == ["sent headers", "fields :status=200 end", "closed 0"])
    }

    @Test func `data that comes later is asked for again`() throws {
        let pair = try SessionPair()
        let request = try pair.request([1, 2], ends: false)
        try pair.exchange()
        let arrived = try #require(pair.server.streams.first)
        #expect(arrived.received == [1, 2])
        request.outgoing = [3]
        try pair.exchange()
        #expect(arrived.received == [1, 2], "nobody said that there is more")
        pair.client.session.resumeData(request)
        try pair.exchange()
        #expect(arrived.received == [1, 2, 3])
        request.ends = true
        pair.client.session.resumeData(request)
        try pair.exchange()
        #expect(arrived.events.last == "end after 3")
    }

    @Test func `a body larger than every buffer arrives whole when it is credited`() throws {
        let pair = try SessionPair()
        let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        _ = try pair.request(body)
        try pair.exchange()
        #expect(pair.server.streams.first?.received == body)
    }

    @Test func `a stream's window holds the sender back until it is credited`() throws {
        let pair = try SessionPair(server: { $0.streamWindow = 1000 })
        try pair.exchange()
        let request = try pair.request([UInt8](repeating: 5, count: 2500))
        try pair.exchange()
        let arrived = try #require(pair.server.streams.first)
        #expect(arrived.received.count == 1000 && request.outgoing.count == 1500)
        arrived.consume(1000)
        try pair.exchange()
        #expect(arrived.received.count == 2000)
        arrived.consume(1000)
        try pair.exchange()
        #expect(arrived.received.count == 2500 && arrived.events.last == "end after 2500")
    }

    @Test(arguments: [1, 7, 250]) func `credit in small pieces comes together`(_ piece: Int) throws {
        let pair = try SessionPair(server: { $0.streamWindow = 1000 })
        try pair.exchange()
        _ = try pair.request([UInt8](repeating: 5, count: 20_000))
        try pair.exchange()
        let arrived = try #require(pair.server.streams.first)
        var credited = 0
        while credited < 20_000 {
            #expect(arrived.received.count > credited, "the sender stands still at \(credited)")
            guard arrived.received.count > credited else { return }
            let count = min(piece, arrived.received.count - credited)
            arrived.consume(count)
            credited += count
            try pair.exchange()
        }
        #expect(arrived.received.count == 20_000)
    }

    @Test func `the connection's window is credited by itself`() throws {
        let pair = try SessionPair(server: {
            $0.connectionWindow = 65_535
            $0.streamWindow = 1 << 20
        })
        let requests = try (0..<4).map { _ in try pair.request([UInt8](repeating: 5, count: 200_000)) }
        try pair.exchange()
        #expect(requests.allSatisfy { $0.outgoing.isEmpty })
        #expect(pair.server.streams.map(\.received.count) == [200_000, 200_000, 200_000, 200_000])
    }

    @Test(arguments: [0x0, 0x2, 0x7, 0x8, 0xb] as [UInt32])
    func `a reset ends the stream at both ends with its code`(_ code: UInt32) throws {
        let pair = try SessionPair()
        let request = try pair.request([1], ends: false)
        try pair.exchange()
        let arrived = try #require(pair.server.streams.first)
        pair.server.session.reset(arrived, code: code)
        try pair.exchange()
        #expect(request.closeCode == code && arrived.closeCode == code)
        #expect(pair.client.session.streamCount == 0 && pair.server.session.streamCount == 0)
    }

    @Test func `a stream that the owner does not want is refused`() throws {
        let pair = try SessionPair()
        pair.server.accepts = false
        let request = try pair.request()
        try pair.exchange()
        #expect(request.closeCode != nil && request.closeCode != 0)
        #expect(pair.server.session.streamCount == 0)
        pair.server.accepts = true
        let second = try pair.request([], ends: false)
        try pair.exchange()
        #expect(second.closeCode == nil && pair.server.streams.count == 1)
    }

    @Test func `requests above the peer's limit wait inside the session`() throws {
        let pair = try SessionPair(server: { $0.maximumConcurrentStreams = 2 })
        try pair.exchange()
        let requests = try (0..<5).map { _ in try pair.request([], ends: false) }
        try pair.exchange()
        #expect(pair.server.streams.count == 2)
        #expect(requests.map { $0.events.contains("sent headers") } == [true, true, false, false, false])
        pair.client.session.reset(requests[0], code: HTTP2ErrorCode.cancel)
        try pair.exchange()
        #expect(requests[2].events.contains("sent headers"))
        #expect(requests.allSatisfy { $0.closeCode == nil || $0 === requests[0] })
    }

    @Test func `a ping is acknowledged with its payload`() throws {
        let pair = try SessionPair()
        try pair.exchange()
        pair.server.session.submitPing(0x0102_0304_0506_0708)
        try pair.exchange()
        #expect(pair.server.events.last == "ping ack \(0x0102_0304_0506_0708)")
    }

    @Test func `a graceful end lets streams that are open finish, and takes no more`() throws {
        let pair = try SessionPair()
        let first = try pair.request([], ends: false)
        try pair.exchange()
        pair.server.session.submitShutdownNotice()
        try pair.exchange()
        #expect(pair.client.events.last == "goaway 2147483647 0")
        #expect(!pair.client.session.acceptsRequests)
        pair.server.session.submitGoAway()
        try pair.exchange()
        #expect(pair.client.events.last == "goaway 1 0")
        #expect(first.closeCode == nil && !pair.client.session.isFinished)
        first.ends = true
        pair.client.session.resumeData(first)
        let arrived = try #require(pair.server.streams.first)
        pair.server.session.submitResponse(SessionPair.ok, stream: arrived, end: true)
        try pair.exchange()
        #expect(first.closeCode == 0)
        #expect(pair.server.session.isFinished && pair.client.session.isFinished)
    }

    @Test func `requests on their way when GOAWAY leaves are refused or taken, never lost`() throws {
        let pair = try SessionPair()
        try pair.exchange()
        let early = try pair.request([], ends: false)
        try pair.exchange()
        let late = try pair.request([], ends: false)
        let onTheWay = try pair.client.drain()
        pair.server.session.submitGoAway()
        let goAway = try pair.server.drain()
        try pair.server.receive(onTheWay)
        try pair.client.receive(goAway)
        try pair.exchange()
        #expect(early.closeCode == nil)
        #expect(late.closeCode == HTTP2ErrorCode.refusedStream)
        #expect(pair.server.streams.count == 1)
    }

    @Test func `terminate sends GOAWAY with the code and ends both ends`() throws {
        let pair = try SessionPair()
        try pair.exchange()
        pair.server.session.terminate(code: HTTP2ErrorCode.enhanceYourCalm)
        try pair.exchange()
        #expect(pair.client.events.last == "goaway 0 11")
        #expect(pair.server.session.isFinished)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "PRI * HTTP/1.0\r\n", "\u{16}\u{3}\u{1}", String(repeating: "x", count: 24),
    ])
    func `a server refuses what is no preface`(_ text: String) throws {
        let pair = try SessionPair()
        let error = #expect(throws: HTTP2Error.self) { try pair.server.receive(Array(text.utf8)) }
        #expect(error?.code == -903)
    }

    @Test func `random bytes behind the preface never trap`() throws {
        var state: UInt64 = 99
        for _ in 0..<300 {
            let pair = try SessionPair()
            let preface = try pair.client.drain()
            try pair.server.receive(preface)
            var bytes: [UInt8] = []
            for _ in 0..<200 {
                state = state &* 6_364_136_223_846_793_005 &+ 1
                bytes.append(UInt8(truncatingIfNeeded: state >> 56))
            }
            // Legal only by chance: either way the session stays usable.
            try? pair.server.receive(bytes)
            try? pair.server.session.drain(into: pair.server.output)
            pair.server.session.close()
            #expect(pair.server.session.isFinished)
        }
    }
}
