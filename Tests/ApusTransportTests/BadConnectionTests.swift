// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

/// What a server does with connections that are not HTTP/2, or stop being it.
@Suite struct BadConnectionTests {
    @Test(arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /a HTTP/1.0\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n"])
    func `an HTTP/1 client gets an answer that it can read`(_ request: String) async throws {
        let pair = try Pair(.tcp)
        let answer = try await script {
            let socket = try RawSocket(connectingTo: pair.running.addresses[0])
            try socket.send(Array(request.utf8))
            return String(decoding: try socket.receiveAll(), as: UTF8.self)
        }
        #expect(answer.hasPrefix("HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Type: text/plain\r\n"))
        #expect(answer.hasSuffix("use a gRPC client.\n"))
        try await pair.expectGoodService()
        await pair.close()
    }

    /// Bytes, and whether the client then says no more; the server has to close in every case.
    static let broken: [(String, [UInt8])] = [
        ("nothing", []),
        ("TLS", [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3] + [UInt8](repeating: 7, count: 200)),
        ("zeros", [UInt8](repeating: 0, count: 4096)),
        ("half a preface", Array(RawPeer.preface.prefix(10))),
        ("a preface alone", RawPeer.preface),
        ("half a frame's head", RawPeer.preface + RawFrame.settings.bytes + [0, 0, 9, 0]),
        (
            "a truncated frame",
            RawPeer.preface + RawFrame.settings.bytes + RawFrame(.ping, [1, 2, 3, 4, 5, 6, 7, 8]).bytes.dropLast(3)
        ),
        ("no SETTINGS first", RawPeer.preface + RawFrame(.ping, [1, 2, 3, 4, 5, 6, 7, 8]).bytes),
        ("an oversized frame", RawPeer.preface + RawFrame.settings.bytes + [255, 255, 255, 0, 0, 0, 0, 0, 1]),
        ("DATA on stream 0", RawPeer.preface + RawFrame.settings.bytes + RawFrame.data(0, [1]).bytes),
        (
            "HEADERS with broken HPACK",
            RawPeer.preface + RawFrame.settings.bytes
                + RawFrame(.headers, flags: 5, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).bytes
        ),
        (
            "PUSH_PROMISE from a client",
            RawPeer.preface + RawFrame.settings.bytes
                + RawFrame(.pushPromise, flags: 4, stream: 1, [0, 0, 0, 2]).bytes
        ),
    ]

    @Test(arguments: broken)
    func `a connection that breaks HTTP/2 is closed and nothing else happens`(_ name: String, _ bytes: [UInt8])
        async throws
    {
        let pair = try Pair(.tcp)
        try await script {
            let socket = try RawSocket(connectingTo: pair.running.addresses[0])
            try socket.send(bytes)
            socket.endSending()
            _ = try socket.receiveAll()
        }
        try await pair.expectGoodService()
        await pair.close()
    }

    @Test(arguments: [0, 3, 10, 24])
    func `a client that falls silent in its preface is closed after the handshake's time`(_ count: Int) async throws {
        var options = ServerOptions()
        options.handshakeTimeout = .milliseconds(50)
        let pair = try Pair(.tcp, server: options)
        try await script {
            let socket = try RawSocket(connectingTo: pair.running.addresses[0])
            try socket.send(Array(RawPeer.preface.prefix(count)))
            _ = try socket.receiveAll()
        }
        try await pair.expectGoodService()
        await pair.close()
    }

    @Test func `a connection that is reset in the middle of a call cancels its handler`() async throws {
        let pair = try Pair(.tcp)
        let peer = try await script {
            let peer = try RawPeer.client(of: pair.running.addresses[0])
            try peer.send(
                RawFrame.headers(
                    1,
                    [
                        (":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/Hang"), (":authority", "a"),
                        ("content-type", "application/grpc"),
                    ]) + [.data(1, RawPeer.message([]), end: true)])
            return peer
        }
        try await pair.service.hung.wait()
        peer.socket.reset()
        try await pair.service.cancelled.wait()
        try await pair.expectGoodService()
        await pair.close()
    }
}
