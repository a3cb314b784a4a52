// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import ApusWire
import Testing

/// gRPC's rules for compressed messages that are wrong, from the side that gets them.
@Suite struct BadCompressionTests {
    private static let text = MessageBytes(String(repeating: "compress me, ", count: 5000))

    /// Data in gzip's format that is no answer to anything, with the status that it deserves.
    struct Forgery: Sendable, CustomTestStringConvertible {
        var name: String
        var data: [UInt8]
        var code: Status.Code
        var testDescription: String { name }

        static let all: [Forgery] = [
            Forgery(name: "a bomb", data: compressed([UInt8](repeating: 0, count: 32 << 20)), code: .resourceExhausted),
            Forgery(
                name: "one byte too much", data: compressed([UInt8](repeating: 7, count: 1_000_008)),
                code: .resourceExhausted
            ),
            Forgery(name: "cut off", data: compressed(text.bytes).dropLast(), code: .internal),
            Forgery(name: "corrupt", data: Array(compressed(text.bytes).reversed()), code: .internal),
            Forgery(name: "empty", data: [], code: .internal),
        ]

        private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
            (try? GzipCompressor().compress(MessageBytes(bytes))) ?? []
        }
    }

    private static let limit = 1_000_007

    private static func pair(client forged: [UInt8]? = nil, server: [UInt8]? = nil) throws -> CompressedPair {
        var limits = ServerOptions()
        limits.maximumRequestBytes = limit
        if let server { limits.compressors = Compressors([Forger(output: server)]) }
        var options = TransportOptions()
        options.maximumResponseBytes = limit
        if let forged { options.compressors = Compressors([Forger(output: forged)]) }
        return try CompressedPair(server: limits, client: options)
    }

    /// The connection goes on, whatever became of a call.
    private static func expectGoodCall(_ pair: CompressedPair) async throws {
        let answer = try await pair.channel.unary(CompressedService.Methods.echo, MessageBytes("hello"))
        #expect(answer.message.text == "hello")
        await pair.close()
    }

    private static let compressing = CallOptions(compression: .gzip)
    private static let asking = CallOptions(metadata: ["x-answer": "gzip"])

    @Test(arguments: Forgery.all)
    func `a server ends a unary call whose message is wrong`(_ forgery: Forgery) async throws {
        let pair = try Self.pair(client: forgery.data)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(CompressedService.Methods.echo, Self.text, options: Self.compressing)
        }
        #expect(error?.code == forgery.code)
        #expect(pair.server.requests.messages.isEmpty)
        try await Self.expectGoodCall(pair)
    }

    @Test(arguments: Forgery.all)
    func `a server ends a stream with a wrong message, whatever its handler makes of it`(
        _ forgery: Forgery
    ) async throws {
        let pair = try Self.pair(client: forgery.data)
        for method in [CompressedService.Methods.chat, CompressedService.Methods.swallow] {
            let call = pair.channel.bidirectional(method, options: Self.compressing)
            try await call.requests.write(Self.text, compress: false)
            let responses = try await call.responses()
            #expect(try await responses.next() == Self.text)
            try await call.requests.write(Self.text)
            let error = await #expect(throws: RPCError.self) { try await responses.next() }
            #expect(error?.code == forgery.code, "\(method.descriptor.name)")
        }
        try await Self.expectGoodCall(pair)
    }

    @Test(arguments: Forgery.all)
    func `a client ends a unary call whose answer is wrong`(_ forgery: Forgery) async throws {
        let pair = try Self.pair(server: forgery.data)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(
                CompressedService.Methods.echo, Self.text, options: Self.asking)
        }
        #expect(error?.code == forgery.code)
        #expect(error?.peer?.address == .memory("compressed"))
        try await Self.expectGoodCall(pair)
    }

    @Test(arguments: Forgery.all)
    func `a client ends a stream with a wrong message`(_ forgery: Forgery) async throws {
        let pair = try Self.pair(server: forgery.data)
        let stream = try await pair.channel.serverStreaming(
            CompressedService.Methods.thrice, Self.text, options: Self.asking)
        for _ in 0..<2 {
            let error = await #expect(throws: RPCError.self) { try await stream.next() }
            #expect(error?.code == forgery.code)
        }
        try await Self.expectGoodCall(pair)
    }

    @Test func `a message as large as the limit is none too large`() async throws {
        let pair = try Self.pair()
        let message = MessageBytes([UInt8](repeating: 7, count: Self.limit))
        let options = CallOptions(metadata: ["x-answer": "gzip"], compression: .gzip)
        let answer = try await pair.channel.unary(CompressedService.Methods.echo, message, options: options)
        #expect(answer.message == message && answer.message.arrivedCompressed)
        await pair.close()
    }

    @Test func `a compressed request without an encoding is INTERNAL, before its handler starts`() async throws {
        let pair = try Self.pair()
        let flagged = try MessageBytes(compressed: [1, 2, 3])
        for compression in [nil, Compression.identity] {
            let error = await #expect(throws: RPCError.self) {
                try await pair.channel.unary(
                    CompressedService.Methods.echo, flagged, options: CallOptions(compression: compression))
            }
            #expect(error?.status == Status(.internal, "a compressed message came without grpc-encoding"))
        }
        #expect(pair.server.requests.messages.isEmpty)
        try await Self.expectGoodCall(pair)
    }

    @Test func `a compressed response without an encoding is INTERNAL`() async throws {
        let pair = try Self.pair()
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(CompressedService.Methods.flag, MessageBytes(""))
        }
        #expect(error?.status == Status(.internal, "a compressed message came without grpc-encoding"))
        try await Self.expectGoodCall(pair)
    }

    @Test func `an encoding that the server does not know is UNIMPLEMENTED`() async throws {
        var options = TransportOptions()
        options.compressors = Compressors([Forger(compression: "br", output: [])])
        let pair = try CompressedPair(client: options)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(
                CompressedService.Methods.echo, Self.text, options: CallOptions(compression: "br"))
        }
        #expect(error?.status == Status(.unimplemented, "grpc-encoding \"br\" is not supported"))
        try await Self.expectGoodCall(pair)
    }

    @Test func `a compression that the channel does not have fails before anything is sent`() async throws {
        let pair = try Self.pair()
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(
                CompressedService.Methods.echo, Self.text, options: CallOptions(compression: "br"))
        }
        #expect(error?.status == Status(.internal, "this channel has no compressor br"))
        #expect(error?.progress == .notConnected)
        try await Self.expectGoodCall(pair)
    }
}
