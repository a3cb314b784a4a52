// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

/// Our generated client calls a server of Python's gRPC with all four call types.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GrpcioServerTests {
    @Test func `a unary call is answered`() async throws {
        try await GrpcioServer.run { server in
            let reply = try await server.client.unary(Instruction(payload: [1, 2, 3], size: 10))
            #expect(reply == Reply(payload: [UInt8](repeating: 0, count: 10), receivedMessages: 1, receivedBytes: 3))
        }
    }

    @Test func `an empty message is answered with one`() async throws {
        try await GrpcioServer.run { server in
            let reply = try await server.client.unary(Instruction())
            #expect(reply == Reply(receivedMessages: 1))
        }
    }

    @Test func `a client stream is counted`() async throws {
        try await GrpcioServer.run { server in
            let reply = try await server.client.clientStream { requests in
                for _ in 0..<1000 { try await requests.write(Instruction(payload: [7])) }
            }
            #expect(reply == Reply(receivedMessages: 1000, receivedBytes: 1000))
        }
    }

    @Test func `a client stream may be empty`() async throws {
        try await GrpcioServer.run { server in
            let reply = try await server.client.clientStream { _ in }
            #expect(reply == Reply())
        }
    }

    @Test func `a server stream arrives whole and in order`() async throws {
        try await GrpcioServer.run { server in
            var next: Int32 = 0
            for try await reply in try await server.client.serverStream(Instruction(messages: 1000, size: 100)) {
                #expect(reply.index == next)
                #expect(reply.payload.count == 100)
                next += 1
            }
            #expect(next == 1000)
        }
    }

    @Test func `a server stream may be empty`() async throws {
        try await GrpcioServer.run { server in
            let replies = try await server.client.serverStream(Instruction())
            #expect(try await replies.next() == nil)
        }
    }

    @Test func `a chat answers each message before the next is sent`() async throws {
        try await GrpcioServer.run { server in
            let call = server.client.chat()
            try await call.requests.write(Instruction(messages: 1))
            let replies = try await call.responses()
            for round: Int32 in 0..<1000 {
                #expect(try await replies.next()?.index == round)
                if round < 999 { try await call.requests.write(Instruction(messages: 1)) }
            }
            call.requests.finish()
            #expect(try await replies.next() == nil)
        }
    }

    @Test func `a chat goes on at the server after the client's half is closed`() async throws {
        try await GrpcioServer.run { server in
            let call = server.client.chat()
            try await call.requests.write(Instruction(messages: 500, size: 1000))
            call.requests.finish()
            var count = 0
            for try await _ in try await call.responses() { count += 1 }
            #expect(count == 500)
        }
    }

    @Test func `messages of a megabyte pass both ways`() async throws {
        try await GrpcioServer.run { server in
            let big = [UInt8](repeating: 0xa5, count: 1 << 20)
            let reply = try await server.client.unary(Instruction(payload: big, size: 1 << 20))
            #expect(reply.receivedBytes == 1 << 20)
            #expect(reply.payload.count == 1 << 20)

            let call = server.client.chat()
            async let sent: Void = {
                for _ in 0..<8 { try await call.requests.write(Instruction(payload: big, messages: 1, size: 1 << 20)) }
                call.requests.finish()
            }()
            var received = 0
            for try await reply in try await call.responses() { received += reply.payload.count }
            try await sent
            #expect(received == 8 << 20)
        }
    }

    @Test func `a hundred calls share a connection`() async throws {
        try await GrpcioServer.run { server in
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for size in 0..<100 {
                    group.addTask {
                        try await server.client.unary(Instruction(payload: [UInt8](repeating: 1, count: size)))
                            .receivedBytes
                    }
                }
                let sum = try await group.reduce(0, +)
                #expect(sum == 4950)
            }
        }
    }

    @Test func `calls that are not async are answered too`() async throws {
        try await GrpcioServer.run { server in
            let client = server.client
            // A thread of its own: a parked thread of Swift's pool would be missed by the tests beside this one.
            let counts = try await onThread {
                let one = try client.blocking.unary(Instruction(payload: [1]))
                let many = try client.blocking.clientStream((0..<10).map { _ in Instruction(payload: [1]) })
                let replies = try client.blocking.serverStream(Instruction(messages: 10)).map { try $0.get() }
                return [Int(one.receivedMessages), Int(many.receivedMessages), replies.count]
            }
            #expect(counts == [1, 10, 10])
        }
    }
}
