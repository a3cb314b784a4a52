// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

/// Attacks on a session, written frame by frame, each with a legal look-alike that has to pass.
@Suite struct AttackTests {
    private static let second: Int64 = 1_000_000_000

    /// A server's session after the handshake.
    private func server(_ change: (inout HTTP2Settings) -> Void = { _ in }) throws -> End {
        var settings = HTTP2Settings(role: .server)
        change(&settings)
        let server = try End(settings)
        try server.receive(WireFrames.preface + WireFrames.settings)
        _ = try server.drain()
        try server.receive(WireFrames.settingsAck)
        return server
    }

    /// Sends frames one by one until the session ends the connection.
    ///
    /// - Returns: how many were taken, and the GOAWAY, if it came to that.
    private func attack(
        _ end: End, count: Int, drains: Bool = true, _ frame: (Int) -> [UInt8]
    ) throws -> (taken: Int, goAway: WireGoAway?) {
        for index in 0..<count {
            do {
                try end.receive(frame(index))
            } catch {
                return (index, WireGoAway(in: try end.drain()))
            }
            if drains { _ = try end.drain() }
        }
        return (count, nil)
    }

    private func calm(_ debug: String) -> WireGoAway { WireGoAway(code: HTTP2ErrorCode.enhanceYourCalm, debug: debug) }

    private func id(_ index: Int) -> UInt32 { UInt32(index * 2 + 1) }

    // MARK: Requests taken back

    @Test func `a rapid reset ends after 200 requests`() throws {
        let server = try server()
        let result = try attack(server, count: 100_000) {
            WireFrames.headers(self.id($0), end: true) + WireFrames.reset(self.id($0))
        }
        #expect(result.taken == 200)
        #expect(result.goAway == calm("more than 200 requests taken back before they were answered"))
        #expect(server.streams.count == 201)
    }

    @Test func `calls that were answered may be cancelled without end`() throws {
        let server = try server()
        server.onFields = { stream in server.session.submitResponse(SessionPair.ok, stream: stream) }
        for index in 0..<10_000 {
            try server.receive(WireFrames.headers(id(index)))
            _ = try server.drain()
            try server.receive(WireFrames.reset(id(index)))
        }
        #expect(server.streams.count == 10_000)
    }

    @Test func `50 calls a second may be cancelled before they were answered`() throws {
        let server = try server()
        for index in 0..<5000 {
            server.now += Self.second / 50
            try server.receive(WireFrames.headers(id(index)) + WireFrames.reset(id(index)))
        }
        #expect(server.streams.count == 5000)
    }

    // MARK: Requests that the library resets

    enum MadeYouReset: String, CaseIterable {
        case windowOverflow, pseudoHeaderInTrailers, trailersWithoutEnd, contentLength

        func frames(_ id: UInt32) -> [UInt8] {
            let head = WireFrames.headers(id)
            switch self {
            case .windowOverflow: return head + WireFrames.windowUpdate(id, 0x7fff_ffff)
            case .pseudoHeaderInTrailers: return head + WireFrames.headers(id, end: true)
            case .trailersWithoutEnd: return head + WireFrames.headers(id, [0x00, 0x01, 0x61, 0x01, 0x62])
            case .contentLength:
                let block = WireFrames.requestBlock + [0x0f, 0x0d, 0x01, 0x35]
                return WireFrames.headers(id, block)
                    + WireFrames.frame(FrameType.data, flags: FrameFlag.endStream, stream: id, [1])
            }
        }
    }

    @Test(arguments: MadeYouReset.allCases)
    func `resets that a peer makes us send end after 50`(_ kind: MadeYouReset) throws {
        let server = try server()
        let result = try attack(server, count: 100_000) { kind.frames(self.id($0)) }
        #expect((50...51).contains(result.taken))
        #expect(result.goAway == calm("more than 50 invalid frames"))
        #expect(server.streams.count <= 52)
    }

    @Test(arguments: MadeYouReset.allCases)
    func `resets that the peer does not even read open no more streams than allowed`(_ kind: MadeYouReset) throws {
        let server = try server()
        _ = try attack(server, count: 10_000, drains: false) { kind.frames(self.id($0)) }
        #expect(server.streams.count <= 100)
    }

    @Test func `streams that we end with errors of our own are nobody's fault`() throws {
        let server = try server()
        server.onFields = { stream in server.session.reset(stream, code: HTTP2ErrorCode.refusedStream) }
        for index in 0..<2000 {
            try server.receive(WireFrames.headers(id(index)))
            _ = try server.drain()
        }
        #expect(server.streams.count == 2000)
    }

    // MARK: Header blocks

    private func block(continuations: Int, bytes: Int) -> [UInt8] {
        // One field of `bytes` bytes in all, not indexed; lengths have HPACK's 7-bit prefix.
        let head: [UInt8] = WireFrames.requestBlock + [0x00, 0x01, 0x78, 0x7f]
        var rest = bytes - 127
        var size: [UInt8] = []
        while rest >= 128 {
            size.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        let block = head + size + [UInt8(rest)] + [UInt8](repeating: 0x61, count: bytes)
        let share = block.count / (continuations + 1) + 1
        return (0...continuations).flatMap { index -> [UInt8] in
            let piece = Array(block.dropFirst(index * share).prefix(share))
            let flags = index == continuations ? FrameFlag.endHeaders : 0
            let type = index == 0 ? FrameType.headers : FrameType.continuation
            return WireFrames.frame(type, flags: flags, stream: 1, piece)
        }
    }

    @Test func `a header block may take 8 CONTINUATION frames and no more`() throws {
        let good = try server()
        for byte in block(continuations: 8, bytes: 17_000) { try good.receive([byte]) }
        #expect(good.streams.count == 1)
        let bad = try server()
        let frames = block(continuations: 9, bytes: 17_000)
        let result = try attack(bad, count: 1) { _ in frames }
        #expect(result.goAway == calm("more than 8 CONTINUATION frames"))
    }

    /// A field of 4,000 bytes that enters the table, then references to it, of one byte each.
    private func bomb(references: Int) -> [UInt8] {
        let name: [UInt8] = [0x40, 1, 0x78]
        // 4000 as an integer with a prefix of 7 bits: 127 + 33 + 30 * 128.
        return WireFrames.requestBlock + name + [0x7f, 0xa1, 0x1e] + [UInt8](repeating: 0x62, count: 4000)
            + [UInt8](repeating: 0xbe, count: references)
    }

    @Test func `a header list may amount to 64 KiB, and is unpacked no further`() throws {
        let server = try server()
        try server.receive(WireFrames.headers(1, bomb(references: 14)))
        #expect(throws: HTTP2Error.self) { try server.receive(WireFrames.headers(3, bomb(references: 12_000))) }
        #expect(WireGoAway(in: try server.drain()) == calm("a header list of more than 64 KiB"))
        #expect(server.session.hasBlamed)
        #expect(server.streams.last.map { $0.fieldCount } == 4 + 1 + 15)
    }

    @Test func `each header block of a connection may amount to 64 KiB`() throws {
        let server = try server()
        for index in 0..<100 { try server.receive(WireFrames.headers(id(index), bomb(references: 14))) }
        #expect(server.streams.count == 100)
        #expect(!server.session.hasBlamed)
    }

    @Test func `a header block may take 64 KiB and no more`() throws {
        let good = try server()
        try good.receive(block(continuations: 4, bytes: 65_000))
        #expect(good.streams.count == 1)
        let bad = try server()
        let frames = block(continuations: 4, bytes: 66_000)
        let result = try attack(bad, count: 1) { _ in frames }
        #expect(result.goAway == calm("a header block of more than 64 KiB"))
    }

    // MARK: Frames without calls

    static let floods: [(String, [UInt8])] = [
        ("SETTINGS", WireFrames.settings), ("PING", WireFrames.ping),
        ("PING ACK", WireFrames.frame(FrameType.ping, flags: FrameFlag.acknowledge, [0, 0, 0, 0, 0, 0, 0, 0])),
        ("PRIORITY", WireFrames.frame(2, stream: 9, [0, 0, 0, 0, 0])), ("unknown", WireFrames.frame(0xbb, [1])),
    ]

    @Test(arguments: floods)
    func `control frames without calls end after 100`(_ name: String, _ frame: [UInt8]) throws {
        let server = try server()
        let result = try attack(server, count: 10_000) { _ in frame }
        // The handshake took two and asked one.
        #expect(result.taken == 99)
        #expect(result.goAway == calm("more than 100 control frames without calls"))
    }

    @Test func `ten control frames a second may come for ever`() throws {
        let server = try server()
        for _ in 0..<5000 {
            server.now += Self.second / 10
            try server.receive(WireFrames.ping)
            _ = try server.drain()
        }
        #expect(server.events.count { $0 == "ping" } == 5000)
    }

    @Test func `a peer that measures our DATA may ping with each of them`() throws {
        let pair = try SessionPair()
        pair.server.onFields = { stream in pair.server.session.submitResponse(SessionPair.ok, stream: stream) }
        _ = try pair.request()
        try pair.exchange()
        let stream = try #require(pair.server.streams.first)
        for _ in 0..<2000 {
            stream.outgoing = [1]
            pair.server.session.resumeData(stream)
            pair.client.session.submitPing(7)
            try pair.exchange()
        }
        #expect(pair.client.events.count { $0 == "ping ack 7" } == 2000)
    }

    @Test func `empty DATA frames end after 100, unless they end their stream`() throws {
        let bad = try server()
        try bad.receive(WireFrames.headers(1))
        let result = try attack(bad, count: 10_000) { _ in WireFrames.frame(FrameType.data, stream: 1) }
        #expect(result.taken == 100)
        #expect(result.goAway == calm("more than 100 empty DATA frames"))

        let good = try server()
        for index in 0..<90 {
            let end = WireFrames.frame(FrameType.data, flags: FrameFlag.endStream, stream: id(index))
            try good.receive(WireFrames.headers(id(index)) + end)
        }
        #expect(good.streams.count { $0.events.last == "end after 0" } == 90)
    }

    @Test func `WINDOW_UPDATE frames need DATA that they grant`() throws {
        let bad = try server()
        let result = try attack(bad, count: 10_000) { _ in WireFrames.windowUpdate(0, 1) }
        #expect(result.taken == 5)
        #expect(result.goAway == calm("more WINDOW_UPDATE frames than there was data to grant"))
    }

    @Test func `a reader that grants byte by byte is served`() throws {
        let pair = try SessionPair(client: { $0.streamWindow = 16 })
        pair.server.onFields = { stream in
            stream.outgoing = [UInt8](repeating: 1, count: 5000)
            stream.ends = true
            pair.server.session.submitResponse(SessionPair.ok, stream: stream)
        }
        let call = try pair.request()
        var granted = 0
        try pair.exchange()
        while call.received.count < 5000 {
            // As small as flow control lets a library grant.
            call.consume(call.received.count - granted)
            granted = call.received.count
            try pair.exchange()
        }
        #expect(call.closeCode == 0)
    }

    @Test func `more padding than data ends after a megabyte`() throws {
        func frame(_ padding: UInt8, _ data: Int) -> [UInt8] {
            WireFrames.frame(
                FrameType.data, flags: FrameFlag.padded, stream: 1,
                [padding] + [UInt8](repeating: 7, count: data) + [UInt8](repeating: 0, count: Int(padding)))
        }
        // The window is generous, so that nothing but the guard can stop the padding.
        let bad = try server { ($0.streamWindow, $0.connectionWindow) = (1 << 30, 1 << 30) }
        try bad.receive(WireFrames.headers(1))
        let result = try attack(bad, count: 100_000) { _ in frame(255, 100) }
        #expect(result.taken == (1 << 20) / 356)
        #expect(result.goAway == calm("more padding than data"))

        let good = try server { ($0.streamWindow, $0.connectionWindow) = (1 << 30, 1 << 30) }
        try good.receive(WireFrames.headers(1))
        let served = try attack(good, count: 10_000) { _ in frame(255, 300) }
        #expect(served.goAway == nil && served.taken == 10_000)
    }

    // MARK: Replies that nobody reads

    @Test func `replies that a peer provokes are counted until they leave, answers are not`() throws {
        let server = try server()
        server.onFields = { stream in server.session.submitResponse(SessionPair.ok, stream: stream) }
        for index in 0..<50 { try server.receive(WireFrames.ping + WireFrames.headers(id(index))) }
        #expect(server.session.provokedReplies == 50)
        for stream in server.streams { server.session.reset(stream, code: HTTP2ErrorCode.cancel) }
        #expect(server.session.provokedReplies == 100)
        while try !server.drain().isEmpty {}
        #expect(server.session.provokedReplies == 0)
    }

    @Test func `requests that wait for the peer's limit are no replies`() throws {
        let pair = try SessionPair(server: { $0.maximumConcurrentStreams = 1 })
        try pair.exchange()
        let calls = try (0..<300).map { _ in try pair.request() }
        try pair.exchange()
        #expect(pair.client.session.provokedReplies <= 0)
        #expect(calls.count { $0.events.contains("sent headers") } == 1)
    }

    // MARK: Stream identifiers

    @Test(arguments: [false, true])
    func `HEADERS below the highest identifier break the protocol`(_ inOneRead: Bool) throws {
        let server = try server()
        let frames = [WireFrames.headers(1), WireFrames.headers(5), WireFrames.headers(3)]
        let result = try attack(server, count: inOneRead ? 1 : 3) { inOneRead ? frames.flatMap { $0 } : frames[$0] }
        #expect(result.goAway?.code == HTTP2ErrorCode.protocolError)
        #expect(server.streams.count == 2)
    }

    @Test func `HEADERS on a closed stream are told as such`() throws {
        let server = try server()
        let result = try attack(server, count: 3) {
            [WireFrames.headers(1), WireFrames.reset(1), WireFrames.headers(1)][$0]
        }
        #expect(result.goAway?.code == HTTP2ErrorCode.streamClosed)
    }

    @Test(arguments: [false, true])
    func `DATA after the peer's own reset are told as such`(_ inOneRead: Bool) throws {
        let server = try server()
        let frames = [WireFrames.headers(1), WireFrames.reset(1), WireFrames.frame(FrameType.data, stream: 1, [7])]
        let result = try attack(server, count: inOneRead ? 1 : 3) { inOneRead ? frames.flatMap { $0 } : frames[$0] }
        #expect(result.goAway == WireGoAway(code: HTTP2ErrorCode.streamClosed, debug: "DATA on a closed stream"))
    }

    @Test func `DATA after the peer's own end of a stream that is closed are told as such`() throws {
        let server = try server()
        server.onFields = { server.session.submitResponse(SessionPair.ok, stream: $0, end: true) }
        try server.receive(WireFrames.headers(1, end: true))
        _ = try server.drain()
        #expect(server.streams[0].closeCode == 0)
        let result = try attack(server, count: 1) { _ in WireFrames.frame(FrameType.data, stream: 1, [7]) }
        #expect(result.goAway?.code == HTTP2ErrorCode.streamClosed)
    }

    @Test func `DATA on their way when we ended a stream are ignored`() throws {
        let server = try server()
        for id in [1, 3, 5] as [UInt32] {
            try server.receive(WireFrames.headers(id))
            guard let stream = server.streams.last else { break }
            server.session.submitResponse(SessionPair.ok, stream: stream, end: true)
            server.session.reset(stream, code: HTTP2ErrorCode.noError)
            _ = try server.drain()
            try server.receive(WireFrames.frame(FrameType.data, stream: id, [7]))
        }
        try server.receive(WireFrames.headers(7))
        #expect(server.streams.count == 4)
    }

    @Test(arguments: [(0 as UInt32, 1 as UInt32), (3, 3), (3, 0x8000_0003)])
    func `PRIORITY of no stream or of a stream upon itself breaks the protocol`(
        _ stream: UInt32, _ dependency: UInt32
    ) throws {
        let server = try server()
        let result = try attack(server, count: 1) { _ in
            WireFrames.frame(FrameType.priority, stream: stream, WireFrames.number(dependency) + [16])
        }
        #expect(result.goAway?.code == HTTP2ErrorCode.protocolError)
    }

    @Test func `trailers of a stream that we reset are ignored`() throws {
        let server = try server()
        try server.receive(WireFrames.headers(1))
        server.session.reset(server.streams[0], code: HTTP2ErrorCode.noError)
        _ = try server.drain()
        try server.receive(WireFrames.headers(1, end: true, [0x00, 0x01, 0x61, 0x01, 0x62]))
        try server.receive(WireFrames.headers(3))
        #expect(server.streams.count == 2)
    }

    @Test func `trailers of an open stream arrive, also in the read that opened it`() throws {
        let server = try server()
        let trailers = WireFrames.headers(1, end: true, [0x00, 0x01, 0x61, 0x01, 0x62])
        try server.receive(WireFrames.headers(1) + trailers)
        #expect(server.streams.first?.events.last == "fields a=b end")
    }

    // MARK: Servers that attack

    private func client() throws -> End {
        let client = try End(HTTP2Settings(role: .client))
        _ = try client.drain()
        try client.receive(WireFrames.settings + WireFrames.settingsAck)
        return client
    }

    @Test func `a third GOAWAY that differs ends the connection`() throws {
        let client = try client()
        try client.session.submitRequest(SessionPair.requestFields, stream: RecordedStream())
        _ = try client.drain()
        let result = try attack(client, count: 100) { index in
            WireFrames.frame(
                FrameType.goAway, WireFrames.number(0x7fff_ffff - UInt32(index) * 2) + WireFrames.number(0))
        }
        #expect(result.taken == 2)
        #expect(result.goAway == calm("more than 2 different GOAWAY frames"))
    }

    @Test func `a pushed stream is an error of the connection`() throws {
        let client = try client()
        let stream = RecordedStream()
        try client.session.submitRequest(SessionPair.requestFields, stream: stream)
        _ = try client.drain()
        let push = WireFrames.frame(
            FrameType.pushPromise, flags: FrameFlag.endHeaders, stream: 1,
            WireFrames.number(2) + WireFrames.requestBlock)
        let result = try attack(client, count: 1) { _ in push }
        #expect(
            result.goAway == WireGoAway(code: HTTP2ErrorCode.protocolError, debug: "PUSH_PROMISE, which was disabled"))
    }

    // MARK: Standing still

    @Test func `SETTINGS that are never acknowledged end the connection`() throws {
        let server = try End(HTTP2Settings(role: .server))
        try server.receive(WireFrames.preface + WireFrames.settings)
        _ = try server.drain()
        #expect(server.session.awaitsInput)
        #expect(server.session.checkProgress(at: 0) == .lookAgain(at: 10 * Self.second))
        guard case .broken = server.session.checkProgress(at: 10 * Self.second) else {
            Issue.record("the session goes on")
            return
        }
        #expect(WireGoAway(in: try server.drain())?.code == HTTP2ErrorCode.settingsTimeout)
    }

    @Test(arguments: [false, true])
    func `a header block that comes byte by byte has its time, in one frame or in two`(_ inTwo: Bool) throws {
        let server = try server()
        let last = FrameFlag.endHeaders
        let bytes =
            inTwo
            ? WireFrames.frame(FrameType.headers, stream: 1, Array(WireFrames.requestBlock.prefix(4)))
                + WireFrames.frame(FrameType.continuation, flags: last, stream: 1, [UInt8](repeating: 0, count: 100))
            : WireFrames.frame(FrameType.headers, flags: last, stream: 1, [UInt8](repeating: 0, count: 100))
        var seconds = 0
        for byte in bytes {
            try server.receive([byte])
            if case .broken(let violation) = server.session.checkProgress(at: server.now) {
                #expect(violation.code == HTTP2ErrorCode.enhanceYourCalm)
                #expect(violation.text == "a header block not complete in time")
                break
            }
            server.now += Self.second
            seconds += 1
        }
        // Nine bytes of the first frame's head come before the block.
        #expect((10...20).contains(seconds))
    }

    @Test func `half a frame and half a header block are noticed, whole ones are not`() throws {
        let server = try server()
        #expect(!server.session.awaitsInput)
        server.now = 100
        try server.receive(Array(WireFrames.ping.dropLast()))
        #expect(server.session.checkProgress(at: 100) == .lookAgain(at: 100 + 10 * Self.second))
        try server.receive([8])
        #expect(server.session.checkProgress(at: 100) == .idle)
        try server.receive(WireFrames.frame(FrameType.headers, stream: 1, WireFrames.requestBlock))
        #expect(server.session.checkProgress(at: 100) == .lookAgain(at: 100 + 10 * Self.second))
        try server.receive(WireFrames.frame(FrameType.continuation, flags: FrameFlag.endHeaders, stream: 1))
        #expect(server.session.checkProgress(at: 100) == .idle)
    }
}
