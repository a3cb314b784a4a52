// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

/// Each limit of a server's options, set to something else than its default.
@Suite(.timeLimit(.minutes(10))) struct ServerLimitTests {
    private static func head(_ stream: UInt32, _ path: String = "/test.Echo/Echo", padding: Int = 0) -> [RawFrame] {
        var fields = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"), ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
        // In pieces: the HTTP/2 library takes values of up to 64 KiB.
        for start in stride(from: 0, to: padding, by: 30_000) {
            fields.append(("x-padding", String(repeating: "p", count: min(30_000, padding - start))))
        }
        return RawFrame.headers(stream, fields)
    }

    private static let message = RawPeer.message([1, 2, 3])

    /// What the server says, or what becomes of the connection, after a script.
    private func outcome(
        _ options: ServerOptions, _ body: @escaping @Sendable (RawPeer) throws -> String
    ) async throws -> String {
        let pair = try Pair(.tcp, server: options)
        let address = pair.running.addresses[0]
        let outcome = try await script { try body(RawPeer.client(of: address)) }
        await pair.close()
        return outcome
    }

    private static func goAway(_ peer: RawPeer) throws -> String {
        while let frame = try peer.next() {
            if frame.kind == .goAway { return String(decoding: frame.payload.dropFirst(8), as: UTF8.self) }
        }
        return "closed"
    }

    @Test func `a client that does not acknowledge SETTINGS has the handshake's time`() async throws {
        var options = ServerOptions()
        options.handshakeTimeout = .milliseconds(200)
        let text = try await outcome(options) { try Self.goAway($0) }
        // The preface has to come in the same time: on a busy machine that may be what is late.
        #expect(["SETTINGS not acknowledged in time", "closed"].contains(text))
    }

    @Test func `a header block has the time of the options`() async throws {
        var options = ServerOptions()
        options.handshakeTimeout = .seconds(600)
        options.headerTimeout = .milliseconds(20)
        let text = try await outcome(options) { peer in
            let block = Self.head(1)[0]
            try peer.send(.settingsAck, RawFrame(.headers, stream: 1, Array(block.payload.dropLast(5))))
            return try Self.goAway(peer)
        }
        #expect(text == "a header block not complete in time")
    }

    @Test func `a frame has the time of the options`() async throws {
        var options = ServerOptions()
        options.handshakeTimeout = .seconds(600)
        options.frameTimeout = .milliseconds(20)
        let text = try await outcome(options) { peer in
            try peer.send([.settingsAck] + Self.head(1))
            try peer.socket.send(Array(RawFrame.data(1, Self.message).bytes.dropLast(2)))
            return try Self.goAway(peer)
        }
        #expect(text == "a frame that does not go on in time")
    }

    @Test(arguments: [
        (16 << 10, 10_000, "OK"), (16 << 10, 20_000, "RESOURCE_EXHAUSTED"), (8 << 10, 10_000, "RESOURCE_EXHAUSTED"),
        (200 << 10, 150_000, "OK"), (200 << 10, 300_000, "RESOURCE_EXHAUSTED"),
    ])
    func `metadata may have the size of the options`(_ limit: Int, _ size: Int, _ expected: String) async throws {
        var options = ServerOptions()
        options.maximumMetadataBytes = limit
        let text = try await outcome(options) { peer in
            try peer.send(Self.head(1, padding: size) + [.data(1, Self.message, end: true)])
            return try peer.answer(to: 1).description
        }
        #expect(text.hasPrefix(expected), "\(text)")
    }

    @Test func `a request may have the size of the options`() async throws {
        var options = ServerOptions()
        options.maximumRequestBytes = 1000
        for (size, expected) in [
            (1000, "OK"), (1001, "RESOURCE_EXHAUSTED: a message of 1001 bytes is above the limit of 1000"),
        ] {
            let text = try await outcome(options) { peer in
                let message = RawPeer.message([UInt8](repeating: 1, count: size))
                try peer.send(Self.head(1) + [.data(1, message, end: true)])
                return try peer.answer(to: 1).description
            }
            #expect(text == expected)
        }
    }

    @Test func `streams above the limit of the options are refused, not failed`() async throws {
        var options = ServerOptions()
        options.maximumConcurrentStreams = 2
        let text = try await outcome(options) { peer in
            for stream: UInt32 in [1, 3] {
                try peer.send(Self.head(stream, "/test.Echo/Hang") + [.data(stream, Self.message, end: true)])
            }
            // A client that has not acknowledged the limit need not know it.
            try peer.send(Self.head(5) + [.data(5, Self.message, end: true)])
            let answer = try peer.answer(to: 5).description
            peer.socket.close()
            return answer
        }
        #expect(text == "RST_STREAM REFUSED_STREAM")
    }
}
