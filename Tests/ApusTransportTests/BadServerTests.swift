// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

/// What a client makes of servers that do not keep gRPC's rules.
@Suite struct BadServerTests {
    /// What a server sends in answer to the request on stream 1, and what the caller learns.
    struct Reply: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var frames: [RawFrame]
        var expected: String
        var closes = false
    }

    private static let head = RawFrame.headers(1, [(":status", "200"), ("content-type", "application/grpc")])
    private static let ok = RawFrame.headers(1, [("grpc-status", "0")], end: true)
    private static let message = RawFrame.data(1, RawPeer.message(Array("fine".utf8)))

    private static func http(_ status: Int, _ type: String, end: Bool = false) -> [RawFrame] {
        RawFrame.headers(1, [(":status", "\(status)"), ("content-type", type)], end: end)
    }

    private static let answers: [Reply] = [
        Reply(testDescription: "a good one", frames: head + [message] + ok, expected: "fine"),
        Reply(
            testDescription: "1xx first",
            frames: RawFrame.headers(1, [(":status", "103"), ("grpc-status", "5")]) + head + [message] + ok,
            expected: "fine"),
        Reply(
            testDescription: "17 of 1xx",
            frames: (0..<17).flatMap { _ in RawFrame.headers(1, [(":status", "103")]) } + head + [message] + ok,
            expected: "RESOURCE_EXHAUSTED: the server's headers are beyond all limits"),
        Reply(
            testDescription: "a reset without error behind the trailers",
            frames: head + [message] + ok + [.rst(1, 0)], expected: "fine"),
        Reply(
            testDescription: "padding and unknown frames",
            frames: head + [
                RawFrame(type: 0xfa, flags: 0, stream: 1, payload: [1, 2, 3]),
                RawFrame(.data, flags: 8, stream: 1, [4] + message.payload + [0, 0, 0, 0]),
            ] + ok, expected: "fine"),
        Reply(
            testDescription: "no trailers", frames: head + [.data(1, message.payload, end: true)],
            expected: "UNKNOWN: the stream ended without grpc-status"),
        Reply(
            testDescription: "trailers without a status",
            frames: head + [message] + RawFrame.headers(1, [("x", "1")], end: true),
            expected: "UNKNOWN: the stream ended without grpc-status"),
        Reply(
            testDescription: "no message", frames: head + ok,
            expected: "UNIMPLEMENTED: no message in answer to /test.Echo/Echo, which gives one"),
        Reply(
            testDescription: "two messages", frames: head + [message, message] + ok,
            expected: "UNIMPLEMENTED: two messages in answer to /test.Echo/Echo, which gives one"),
        Reply(
            testDescription: "an end inside a message",
            frames: head + [.data(1, message.payload.dropLast())] + ok,
            expected: "INTERNAL: the response ended inside a message"),
        Reply(
            testDescription: "a message above the limit", frames: head + [.data(1, [0, 0, 64, 0, 1])],
            expected: "RESOURCE_EXHAUSTED: a message of 4194305 bytes is above the limit of 4194304"),
        Reply(
            testDescription: "a compressed flag alone", frames: head + [.data(1, RawPeer.message([1], flag: 1))],
            expected: "INTERNAL: a compressed message came without grpc-encoding"),
        Reply(
            testDescription: "an encoding that was not offered",
            frames: RawFrame.headers(
                1, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "br")]),
            expected: "INTERNAL: the server compressed with \"br\", which was not offered"),
        Reply(
            testDescription: "headers above 16 KiB",
            frames: RawFrame.headers(1, [(":status", "200"), ("x", String(repeating: "x", count: 17_000))]),
            expected: "RESOURCE_EXHAUSTED: the response's metadata is above the limit"),
        Reply(
            testDescription: "headers above 64 KiB",
            frames: RawFrame.headers(
                1,
                [
                    (":status", "200"), ("x", String(repeating: "x", count: 40_000)),
                    ("y", String(repeating: "y", count: 40_000)),
                ]), expected: "UNAVAILABLE: the connection was lost"),
        Reply(
            testDescription: "a status that is no code",
            frames: RawFrame.headers(
                1, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "99")], end: true),
            expected: "UNKNOWN"),
        Reply(
            testDescription: "503 with a page",
            frames: http(503, "text/html") + [.data(1, Array("<html>".utf8), end: true)],
            expected: "UNAVAILABLE: not a gRPC response: HTTP status 503, content-type \"text/html\", body \"<html>\""),
        Reply(
            testDescription: "200 with a page",
            frames: http(200, "text/html") + [.data(1, Array("<html>".utf8), end: true)],
            expected: "UNKNOWN: not a gRPC response: HTTP status 200, content-type \"text/html\", body \"<html>\""),
        Reply(
            testDescription: "503 with a long page",
            frames: http(503, "text/html") + [.data(1, Array(String(repeating: "x", count: 1000).utf8))],
            expected: "UNAVAILABLE: not a gRPC response: HTTP status 503, content-type \"text/html\", body "
                + "\"\(String(repeating: "x", count: 256))\""),
        Reply(
            testDescription: "503 with a status in its trailers",
            frames: http(503, "text/html") + [.data(1, [60])] + RawFrame.headers(1, [("grpc-status", "8")], end: true),
            expected: "RESOURCE_EXHAUSTED"),
        Reply(
            testDescription: "404 alone", frames: http(404, "text/plain", end: true),
            expected: "UNIMPLEMENTED: not a gRPC response: HTTP status 404, content-type \"text/plain\""),
        Reply(
            testDescription: "a closed connection", frames: head, expected: "UNAVAILABLE: the connection was lost",
            closes: true),
        Reply(
            testDescription: "a closed connection inside a frame",
            frames: head + [RawFrame(type: 0xfa, flags: 0, stream: 0, payload: [])],
            expected: "UNAVAILABLE: the connection was lost", closes: true),
        Reply(
            testDescription: "a connection error", frames: [RawFrame(.ping, [1])],
            expected: "UNAVAILABLE: the connection was lost", closes: true),
        Reply(
            testDescription: "a push",
            frames: [RawFrame(.pushPromise, flags: 4, stream: 1, [0, 0, 0, 2])],
            expected: "UNAVAILABLE: the connection was lost"),
        Reply(
            testDescription: "GOAWAY, then the answer", frames: [.goAway(last: 1, 0)] + head + [message] + ok,
            expected: "fine"),
    ]

    // RFC 9113's codes, as gRPC's table has them; REFUSED_STREAM has a test of its own.
    private static let resets: [Reply] = [
        (0x0, "INTERNAL", "NO_ERROR"), (0x1, "INTERNAL", "PROTOCOL_ERROR"), (0x2, "INTERNAL", "INTERNAL_ERROR"),
        (0x3, "INTERNAL", "FLOW_CONTROL_ERROR"), (0x4, "INTERNAL", "SETTINGS_TIMEOUT"),
        (0x5, "INTERNAL", "STREAM_CLOSED"), (0x6, "INTERNAL", "FRAME_SIZE_ERROR"), (0x8, "CANCELLED", "CANCEL"),
        (0x9, "INTERNAL", "COMPRESSION_ERROR"), (0xa, "INTERNAL", "CONNECT_ERROR"),
        (0xb, "RESOURCE_EXHAUSTED", "ENHANCE_YOUR_CALM"), (0xc, "PERMISSION_DENIED", "INADEQUATE_SECURITY"),
    ].map { code, status, name in
        Reply(
            testDescription: name, frames: head + [.rst(1, code)],
            expected: "\(status): the server reset the call with \(name)")
    }

    static let replies = answers + resets

    @Test(arguments: replies)
    func `a bad answer gives the caller the right status`(_ reply: Reply) async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let served = Script {
            let peer = try RawPeer.server(on: listener)
            _ = try peer.request()
            try peer.send(reply.frames)
            if reply.closes { peer.socket.endSending() }
            while try peer.next() != nil {}
        }
        let outcome = await Self.outcome(channel)
        #expect(outcome == reply.expected)
        channel.close()
        try await served.value
    }

    @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "", "\0\0\0"])
    func `a server that does not speak HTTP/2 is UNAVAILABLE, and nothing was sent`(_ greeting: String) async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let served = Script {
            let socket = try listener.accept()
            try socket.send(Array(greeting.utf8))
            socket.endSending()
            _ = try socket.receiveAll()
        }
        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        }
        #expect(error?.code == .unavailable && error?.progress == .notConnected)
        #expect(error?.message.hasPrefix("\(listener.address): ") == true)
        channel.close()
        try await served.value
    }

    /// A channel that gives a scripted server all the time that it needs.
    static func channel(_ listener: RawListener) -> Channel {
        var options = TransportOptions()
        options.handshakeTimeout = .seconds(600)
        return Channel("echo", interceptors: [ToEndpoint(listener.address)], options: options)
    }

    static func outcome(_ channel: Channel, _ method: BytesMethod = EchoService.Methods.echo) async -> String {
        do {
            return try await channel.unary(method, MessageBytes("hello")).message.text
        } catch {
            return "\(error.status)"
        }
    }
}
