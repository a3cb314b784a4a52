// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

/// Streams that tests want to see released.
private struct Weak {
    weak var stream: RecordedStream?
}

@Suite struct SessionLifetimeTests {
    private func openRequests(_ pair: SessionPair, _ count: Int) throws -> [Weak] {
        try (0..<count).map { _ in Weak(stream: try pair.request([1, 2, 3], ends: false)) }
    }

    @Test func `a session keeps its streams until they end`() throws {
        let pair = try SessionPair()
        let request = try openRequests(pair, 1)[0]
        #expect(request.stream != nil)
        try pair.exchange()
        let stream = try #require(request.stream)
        pair.client.session.reset(stream, code: HTTP2ErrorCode.cancel)
        try pair.exchange()
        #expect(stream.closeCode == HTTP2ErrorCode.cancel)
    }

    @Test func `closing with streams open tells each of them once and releases all`() throws {
        let pair = try SessionPair(server: { $0.maximumConcurrentStreams = 3 })
        try pair.exchange()
        // Three are open, two wait for their turn: nghttp2 knows those only as frames to send.
        let sent = try openRequests(pair, 5)
        try pair.exchange()
        let received = pair.server.streams.map { Weak(stream: $0) }
        var kept = sent.compactMap(\.stream) + pair.server.streams
        pair.client.session.close(code: HTTP2ErrorCode.cancel)
        pair.server.session.close()
        #expect(kept.count == 8)
        for stream in kept { #expect(stream.events.count { $0.hasPrefix("closed") } == 1) }
        #expect(kept.prefix(5).allSatisfy { $0.closeCode == HTTP2ErrorCode.cancel })
        kept = []
        pair.server.forgetStreams()
        #expect((sent + received).allSatisfy { $0.stream == nil })
        #expect(pair.client.session.streamCount == 0)
    }

    @Test func `releasing a session closes its streams`() throws {
        let pair = try SessionPair()
        let request = try pair.request([], ends: false)
        try pair.exchange()
        pair.client.dropSession()
        #expect(request.closeCode == HTTP2ErrorCode.internalError)
    }

    @Test func `streams that ended are released while the session goes on`() throws {
        let pair = try SessionPair()
        pair.server.onFields = { [unowned server = pair.server] in
            server.session.submitResponse(SessionPair.ok, stream: $0, end: true)
        }
        var requests: [Weak] = []
        for _ in 0..<200 {
            requests.append(Weak(stream: try pair.request()))
            try pair.exchange()
        }
        requests += pair.server.streams.map { Weak(stream: $0) }
        pair.server.forgetStreams()
        #expect(requests.count == 400 && requests.allSatisfy { $0.stream == nil })
    }

    @Test func `a closed session takes every command and does nothing`() throws {
        let pair = try SessionPair()
        let request = try pair.request([], ends: false)
        try pair.exchange()
        let session = pair.client.session
        session.close()
        session.close()
        session.reset(request, code: 8)
        session.resumeData(request)
        request.consume(10)
        session.submitPing(1)
        session.submitGoAway()
        session.submitShutdownNotice()
        session.terminate(code: 0)
        #expect(try pair.client.drain().isEmpty)
        #expect(session.isFinished && !session.acceptsRequests)
        #expect(throws: HTTP2Error.self) {
            try session.submitRequest(SessionPair.requestFields, stream: RecordedStream())
        }
        #expect(request.events.count { $0.hasPrefix("closed") } == 1)
    }
}
