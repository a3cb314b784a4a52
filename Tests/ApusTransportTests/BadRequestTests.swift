// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

/// What a server answers to clients that do not keep gRPC's rules. After each of them it serves a good one.
@Suite struct BadRequestTests {
    fileprivate static func fields(_ path: String = "/test.Echo/Echo") -> [(String, String)] {
        [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"), ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
    }

    /// A request that is wrong in one way: fields replaced or, with nil, left out, and the body's bytes.
    struct Request: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var fields: [String: String?] = [:]
        var body: [UInt8] = RawPeer.message([1, 2, 3])
        var ends = true
        var expected: String

        var frames: [RawFrame] {
            var list = BadRequestTests.fields()
            for (name, value) in fields {
                list.removeAll { $0.0 == name }
                guard let value else { continue }
                if name.hasPrefix(":") { list.insert((name, value), at: 0) } else { list.append((name, value)) }
            }
            return RawFrame.headers(1, list) + [.data(1, body, end: ends)]
        }
    }

    static let requests = [
        Request(testDescription: "a good one", expected: "OK"),
        Request(testDescription: "no content-type", fields: ["content-type": nil], expected: "HTTP 415"),
        Request(testDescription: "JSON", fields: ["content-type": "application/json"], expected: "HTTP 415"),
        Request(testDescription: "GET", fields: [":method": "GET"], expected: "HTTP 405"),
        Request(
            testDescription: "an unknown method", fields: [":path": "/test.Echo/Nope"],
            expected: "UNIMPLEMENTED: unknown method /test.Echo/Nope"),
        Request(
            testDescription: "garbage for a message", fields: [":path": "/test.Odd/Picky"],
            expected: "INTERNAL: not a message of this type"),
        Request(
            testDescription: "a length above the limit", body: [0, 0, 64, 0, 1], ends: false,
            expected: "RESOURCE_EXHAUSTED: a message of 4194305 bytes is above the limit of 4194304"),
        Request(
            testDescription: "a length of four gigabytes", body: [0, 255, 255, 255, 255], ends: false,
            expected: "RESOURCE_EXHAUSTED: a message of 4294967295 bytes is above the limit of 4194304"),
        Request(
            testDescription: "a compressed flag alone", body: RawPeer.message([1], flag: 1),
            expected: "INTERNAL: a compressed message came without grpc-encoding"),
        Request(
            testDescription: "an unknown flag", body: RawPeer.message([1], flag: 7),
            expected: "INTERNAL: bad message flag"),
        Request(
            testDescription: "an unknown encoding", fields: ["grpc-encoding": "zip"],
            expected: "UNIMPLEMENTED: grpc-encoding \"zip\" is not supported"),
        Request(
            testDescription: "a malformed timeout", fields: ["grpc-timeout": "soon"],
            expected: "INTERNAL: malformed grpc-timeout"),
        Request(
            testDescription: "no time left", fields: ["grpc-timeout": "0n"],
            expected: "DEADLINE_EXCEEDED: the deadline passed while the server worked"),
        Request(
            testDescription: "two messages", body: RawPeer.message([1]) + RawPeer.message([2]),
            expected: "UNIMPLEMENTED: two messages for /test.Echo/Echo, which takes one"),
        Request(
            testDescription: "no message", body: [],
            expected: "UNIMPLEMENTED: no message for /test.Echo/Echo, which takes one"),
        Request(
            testDescription: "an end inside a message", body: [0, 0, 0, 0, 9, 1],
            expected: "INTERNAL: the request ended inside a message"),
        Request(
            testDescription: "an end inside a prefix", body: [0, 0],
            expected: "INTERNAL: the request ended inside a message"),
        Request(
            testDescription: "an end inside a stream's message", fields: [":path": "/test.Echo/Count"],
            body: RawPeer.message([1]) + [0, 0], expected: "INTERNAL: the request ended inside a message"),
        Request(
            testDescription: "headers above 16 KiB", fields: ["x-big": String(repeating: "x", count: 17_000)],
            expected: "RESOURCE_EXHAUSTED: the request's metadata is above the limit"),
        Request(
            testDescription: "headers above 64 KiB",
            fields: ["x-a": String(repeating: "x", count: 40_000), "x-b": String(repeating: "x", count: 40_000)],
            expected: "GOAWAY ENHANCE_YOUR_CALM"),
        Request(testDescription: "a name in capitals", fields: ["X-Big": "1"], expected: "RST_STREAM PROTOCOL_ERROR"),
    ]

    @Test(arguments: requests)
    func `a bad request gets the right status`(_ request: Request) async throws {
        let pair = try Pair(.tcp, serving: [OddService()])
        let answer = try await script {
            let peer = try RawPeer.client(of: pair.running.addresses[0])
            try peer.send(request.frames)
            return try peer.answer(to: 1)
        }
        #expect(answer.description == request.expected)
        if answer["grpc-status"] != "0", answer["grpc-status"] != nil {
            #expect(answer.blocks.count == 1 && answer[":status"] == "200", "it should be Trailers-Only")
            #expect(answer["content-type"] == "application/grpc")
        }
        if answer["grpc-status"] == "12" { #expect(answer["grpc-accept-encoding"] == "identity,gzip,deflate") }
        try await pair.expectGoodService()
        await pair.close()
    }

    @Test func `a server that ends first asks the client to stop without an error`() async throws {
        let pair = try Pair(.tcp)
        let reset = try await script {
            let peer = try RawPeer.client(of: pair.running.addresses[0])
            let frames = RawFrame.headers(1, Self.fields("/test.Echo/Nope"))
            try peer.send(frames)
            let answer = try peer.answer(to: 1)
            #expect(answer.description == "UNIMPLEMENTED: unknown method /test.Echo/Nope")
            return try peer.nextOfStreams()
        }
        #expect(reset == .rst(1, 0))
        await pair.close()
    }

    @Test func `messages are cut out of DATA frames wherever those were split`() async throws {
        let pair = try Pair(.tcp)
        let answer = try await script {
            let peer = try RawPeer.client(of: pair.running.addresses[0])
            try peer.send(RawFrame.headers(1, Self.fields("/test.Echo/Count")))
            let body = (0..<5).flatMap { RawPeer.message(Array(repeating: 7, count: $0)) }
            for byte in body { try peer.send(.data(1, []), .data(1, [byte])) }
            try peer.send(.data(1, [], end: true))
            return try peer.answer(to: 1)
        }
        #expect(answer.description == "OK")
        #expect(answer.data == RawPeer.message(Array("5".utf8)))
        await pair.close()
    }

    @Test(arguments: [0, 100, 60_000])
    func `a request that is no call gets a line to read, after its body`(_ bodySize: Int) async throws {
        let pair = try Pair(.tcp)
        let fields = [(":method", "PUT"), (":scheme", "http"), (":path", "/"), (":authority", "test")]
        let answer = try await script {
            let peer = try RawPeer.client(of: pair.running.addresses[0])
            try peer.send(RawFrame.headers(1, fields))
            try peer.send(RawFrame(.ping, Array(repeating: 1, count: 8)))
            // PING's answer comes, and none to the request, which has not ended.
            while let frame = try peer.next(), frame.kind != .ping { #expect(frame.stream == 0) }
            for start in stride(from: 0, to: bodySize, by: 10_000) {
                try peer.send(.data(1, Array(repeating: 7, count: min(10_000, bodySize - start))))
            }
            // Above 32 KiB the end is not waited for.
            if bodySize < 32_768 { try peer.send(.data(1, [], end: true)) }
            return try peer.answer(to: 1)
        }
        #expect(answer.description == "HTTP 405")
        #expect(String(decoding: answer.data, as: UTF8.self) == "gRPC calls are POST requests.\n")
        try await pair.expectGoodService()
        await pair.close()
    }
}
