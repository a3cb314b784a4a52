// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization
import Testing

/// Compressed messages between us and Python's gRPC, which compresses with gzip and deflate.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GrpcioCompressionTests {
    private typealias BytesMethod = Method<BytesCodec, BytesCodec>
    private static let unary = BytesMethod(service: "apus.test.peer.Peer", name: "Unary", kind: .unary)
    private static let chat = BytesMethod(service: "apus.test.peer.Peer", name: "Chat", kind: .bidirectional)

    private static func options(_ compression: Compression) -> CallOptions {
        CallOptions(metadata: ["answer-with": compression.name], compression: compression)
    }

    private static func instruction(_ bytes: Int = 10_000) throws -> MessageBytes {
        let payload = [UInt8](repeating: 0, count: bytes)
        return try ProtobufCodec.encode(Instruction(payload: payload, messages: 1, size: 20_000))
    }

    @Test(arguments: [Compression.gzip, .deflate])
    func `a server of theirs reads what we compress and answers compressed`(_ compression: Compression) async throws {
        try await GrpcioServer.run { server in
            let answer = try await server.channel.unary(
                Self.unary, Self.instruction(), options: Self.options(compression))
            #expect(answer.message.arrivedCompressed)
            let reply = try ProtobufCodec<Reply>.decode(answer.message)
            #expect(reply.receivedBytes == 10_000 && reply.payload.count == 20_000)
        }
    }

    @Test(arguments: [Compression.gzip, .deflate])
    func `single messages may stay uncompressed`(_ compression: Compression) async throws {
        try await GrpcioServer.run { server in
            let call = server.channel.bidirectional(Self.chat, options: Self.options(compression))
            for index in 0..<4 { try await call.requests.write(Self.instruction(), compress: index % 2 == 0) }
            call.requests.finish()
            var bytes: [Int64] = []
            for try await message in try await call.responses() {
                #expect(message.arrivedCompressed)
                bytes.append(try ProtobufCodec<Reply>.decode(message).receivedBytes)
            }
            #expect(bytes == [10_000, 20_000, 30_000, 40_000])
        }
    }

    @Test func `a client of theirs sends and reads compressed messages`() async throws {
        let arrivals = Arrivals()
        try await answer("compressed", [arrivals])
        // One, three, one and three requests in the four calls, with each of two compressions.
        #expect(arrivals.compressed == [Bool](repeating: true, count: 16))
        #expect(arrivals.agreed == [Bool](repeating: true, count: 8))
    }

    @Test func `a message of theirs that is too large when decompressed is refused`() async throws {
        try await answer("compressed_too_big", [])
    }

    private func answer(_ name: String, _ interceptors: [any ServerInterceptor]) async throws {
        let server = try Server([PeerHandler()], interceptors: interceptors)
        let running = try server.start(on: .host("127.0.0.1", port: 0))
        let client = try PeerProcess(python: "Tests/Peers/client.py", ["\(running.addresses[0])", name])
        defer { client.stop() }
        try await client.succeeds()
        await running.stop(grace: .seconds(60))
    }
}

/// Answers with the compression that the metadata asks for, and notes how requests arrive.
private final class Arrivals: ServerInterceptor {
    private let state = Mutex((compressed: [Bool](), agreed: [Bool]()))

    var compressed: [Bool] { state.withLock { $0.compressed } }
    var agreed: [Bool] { state.withLock { $0.agreed } }

    func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        if let name = call.metadata["answer-with"] {
            let agreed = call.compressResponses(with: Compression(name))
            state.withLock { $0.agreed.append(agreed) }
        }
        var call = call
        switch call.request {
        case .one(let message): note(message)
        case .stream(let source): call.request = .stream(Source(source, self))
        }
        return try await next(call)
    }

    private func note(_ message: MessageBytes) { state.withLock { $0.compressed.append(message.arrivedCompressed) } }

    private final class Source: MessageSource {
        private let source: any MessageSource
        private let arrivals: Arrivals

        init(_ source: any MessageSource, _ arrivals: Arrivals) {
            self.source = source
            self.arrivals = arrivals
        }

        func next() async throws -> MessageBytes? {
            let message = try await source.next()
            if let message { arrivals.note(message) }
            return message
        }

        func cancel() { source.cancel() }
    }
}
