// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

/// What our client makes of the ends that a server of Python's gRPC gives to calls.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GrpcioServerStatusTests {
    static let specialText = "\ttabs\t, a line\r\nand another, 100 %, ☃ and beyond the basic plane 🐦 "

    @Test func `every status arrives with its text`() async throws {
        try await GrpcioServer.run { server in
            for code in Status.Code.allCases where code != .ok {
                let error = await #expect(throws: RPCError.self) {
                    try await server.client.unary(Instruction(code: Int32(code.rawValue), text: Self.specialText))
                }
                #expect(error?.status == Status(code, Self.specialText))
            }
        }
    }

    @Test func `a stream ends with a status after its messages`() async throws {
        try await GrpcioServer.run { server in
            let replies = try await server.client.serverStream(
                Instruction(messages: 3, code: 9, text: Self.specialText))
            for index: Int32 in 0..<3 { #expect(try await replies.next()?.index == index) }
            let error = await #expect(throws: RPCError.self) { try await replies.next() }
            #expect(error?.status == Status(.failedPrecondition, Self.specialText))
        }
    }

    @Test func `a client stream learns that the server refused it in the middle`() async throws {
        try await GrpcioServer.run { server in
            let error = await #expect(throws: RPCError.self) {
                try await server.client.clientStream { requests in
                    try await requests.write(Instruction(code: 3, text: "no more"))
                    while true { try await requests.write(Instruction(payload: [0])) }
                }
            }
            #expect(error?.status == Status(.invalidArgument, "no more"))
        }
    }

    @Test func `a client stream that the server ends early succeeds`() async throws {
        try await GrpcioServer.run { server in
            let call = server.client.clientStream()
            try await call.requests.write(Instruction(payload: [1, 2], stop: true))
            let response = try await call.response()
            #expect(response.message == Reply(receivedMessages: 1, receivedBytes: 2))
        }
    }

    @Test func `a chat that the server ends early succeeds`() async throws {
        try await GrpcioServer.run { server in
            let call = server.client.chat()
            try await call.requests.write(Instruction(messages: 2, stop: true))
            let replies = try await call.responses()
            #expect(try await replies.next()?.index == 0)
            #expect(try await replies.next()?.index == 1)
            #expect(try await replies.next() == nil)
        }
    }

    @Test func `metadata goes both ways, binary and repeated keys too`() async throws {
        try await GrpcioServer.run { server in
            var metadata = Metadata()
            for part in ["initial", "trailing"] {
                metadata.add("echo-\(part)-text", "one, two; \"three\"")
                metadata.add("echo-\(part)-text", "~!@#$%^&*()_+")
                metadata.add("echo-\(part)-bytes-bin", binary: [])
                metadata.add("echo-\(part)-bytes-bin", binary: [0, 255, 44, 13, 10])
                metadata.add("echo-\(part)-bytes-bin", binary: [1])
            }
            let options = CallOptions(metadata: metadata)
            let unary = try await server.channel.unary(Peer.Methods.unary, Instruction(), options: options)
            expectEchoes(unary.metadata, unary.trailers)

            let stream = try await server.client.serverStream(Instruction(messages: 1), options: options)
            #expect(try await stream.next()?.index == 0)
            #expect(try await stream.next() == nil)
            expectEchoes(stream.metadata, stream.trailers)
        }
    }

    @Test func `trailing metadata comes with an error`() async throws {
        try await GrpcioServer.run { server in
            let options = CallOptions(metadata: ["echo-trailing-a": "1", "echo-trailing-b": "2"])
            let error = await #expect(throws: RPCError.self) {
                try await server.client.unary(Instruction(code: 5, text: "nothing"), options: options)
            }
            #expect(error?.code == .notFound)
            #expect(error?.metadata["echo-trailing-a"] == "1")
            #expect(error?.metadata["echo-trailing-b"] == "2")
        }
    }

    @Test func `initial metadata arrives before the first message`() async throws {
        try await GrpcioServer.run { server in
            let options = CallOptions(metadata: ["echo-initial-a": "1"])
            let replies = try await server.client.serverStream(
                Instruction(earlyHead: true, hang: true), options: options)
            #expect(replies.metadata["echo-initial-a"] == "1")
            replies.cancel()
        }
    }

    @Test func `a method and a service that nobody serves are unimplemented`() async throws {
        try await GrpcioServer.run { server in
            for (service, name) in [("apus.test.peer.Peer", "Nothing"), ("apus.test.peer.Nobody", "Unary")] {
                let method = Method<ProtobufCodec<Instruction>, ProtobufCodec<Reply>>(
                    service: service, name: name, kind: .unary)
                let error = await #expect(throws: RPCError.self) {
                    try await server.channel.unary(method, Instruction())
                }
                #expect(error?.code == .unimplemented)
            }
        }
    }

    @Test func `a message over the server's limit is refused, and the next call works`() async throws {
        try await GrpcioServer.run { server in
            let error = await #expect(throws: RPCError.self) {
                try await server.client.unary(Instruction(payload: [UInt8](repeating: 0, count: 5 << 20)))
            }
            #expect(error?.code == .resourceExhausted)
            let reply = try await server.client.unary(Instruction())
            #expect(reply.receivedMessages == 1)
        }
    }

    @Test func `a message over the client's limit is refused, and the next call works`() async throws {
        try await GrpcioServer.run { server in
            let error = await #expect(throws: RPCError.self) {
                try await server.client.unary(Instruction(size: 5 << 20))
            }
            #expect(error?.code == .resourceExhausted)
            let reply = try await server.client.unary(Instruction())
            #expect(reply.receivedMessages == 1)
        }
    }

    private func expectEchoes(_ initial: Metadata, _ trailing: Metadata) {
        for (part, metadata) in [("initial", initial), ("trailing", trailing)] {
            #expect(metadata.values(of: "echo-\(part)-text") == ["one, two; \"three\"", "~!@#$%^&*()_+"])
            #expect(metadata.binaryValues(of: "echo-\(part)-bytes-bin") == [[], [0, 255, 44, 13, 10], [1]])
        }
    }
}
