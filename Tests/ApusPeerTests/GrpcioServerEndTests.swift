// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

/// Deadlines, cancellation and lost servers, seen from both sides: our client's and that of Python's gRPC.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GrpcioServerEndTests {
    @Test func `a unary call ends at its deadline on both sides`() async throws {
        try await GrpcioServer.run { server in
            let watch = try await server.watch("late")
            let error = await #expect(throws: RPCError.self) {
                try await server.client.unary(
                    Instruction(name: "late", hang: true), options: CallOptions(timeout: .seconds(1)))
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(try await watch.next() == .started)
            #expect(try await watch.next() == .cancelled)
        }
    }

    @Test func `a stream ends at its deadline on both sides`() async throws {
        try await GrpcioServer.run { server in
            let watch = try await server.watch("late")
            let error = await #expect(throws: RPCError.self) {
                let replies = try await server.client.serverStream(
                    Instruction(name: "late", messages: 2, hang: true), options: CallOptions(timeout: .seconds(1)))
                for try await _ in replies {}
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(try await watch.next() == .started)
            #expect(try await watch.next() == .cancelled)
        }
    }

    @Test func `the server is told how much time is left`() async throws {
        try await GrpcioServer.run { server in
            let long = CallOptions(timeout: .seconds(3600))
            let reply = try await server.client.unary(Instruction(), options: long)
            #expect((1...3_600_000).contains(reply.millisecondsLeft))
            #expect(try await server.client.unary(Instruction()).millisecondsLeft == 0)
        }
    }

    @Test func `a cancelled task ends its unary call at the server`() async throws {
        try await GrpcioServer.run { server in
            let watch = try await server.watch("dropped")
            let call = Task { try await server.client.unary(Instruction(name: "dropped", hang: true)) }
            #expect(try await watch.next() == .started)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .cancelled)
            #expect(try await watch.next() == .cancelled)
        }
    }

    @Test func `a server stream that nobody reads on ends at the server`() async throws {
        try await GrpcioServer.run { server in
            let watch = try await server.watch("dropped")
            do {
                let replies = try await server.client.serverStream(
                    Instruction(name: "dropped", messages: 1, hang: true))
                #expect(try await replies.next()?.index == 0)
            }
            #expect(try await watch.next() == .started)
            #expect(try await watch.next() == .cancelled)
        }
    }

    @Test func `a client stream that is cancelled ends at the server`() async throws {
        try await GrpcioServer.run { server in
            let watch = try await server.watch("dropped")
            let call = server.client.clientStream()
            // It hangs: in this gRPC a cancelled stream of requests may look like a finished one.
            try await call.requests.write(Instruction(name: "dropped", hang: true))
            #expect(try await watch.next() == .started)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.response() }
            #expect(error?.code == .cancelled)
            #expect(try await watch.next() == .cancelled)
        }
    }

    @Test func `a chat that is cancelled ends at the server`() async throws {
        try await GrpcioServer.run { server in
            let watch = try await server.watch("dropped")
            let call = server.client.chat()
            try await call.requests.write(Instruction(name: "dropped", messages: 1, hang: true))
            let replies = try await call.responses()
            #expect(try await replies.next()?.index == 0)
            #expect(try await watch.next() == .started)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await replies.next() }
            #expect(error?.code == .cancelled)
            #expect(try await watch.next() == .cancelled)
        }
    }

    @Test func `a call that ended well is not taken for a cancelled one`() async throws {
        try await GrpcioServer.run { server in
            let watch = try await server.watch("good")
            _ = try await server.client.unary(Instruction(name: "good"), options: CallOptions(timeout: .seconds(3600)))
            #expect(try await watch.next() == .started)
            #expect(try await watch.next() == .finished)
            #expect(try await watch.next() == nil)
        }
    }

    @Test func `a server that is not there is unavailable, with the reason`() async throws {
        let nobody = try await unusedAddress()
        let client = Peer.Client(Channel(to: nobody))
        let error = await #expect(throws: RPCError.self) { try await client.unary(Instruction()) }
        #expect(error?.code == .unavailable)
        #expect(error?.progress == .notConnected)
        let text = error?.description ?? ""
        #expect(text.contains("\(nobody)"))
        #expect(text.contains("refused"))
    }

    @Test func `a server that is killed ends its calls with UNAVAILABLE`() async throws {
        try await GrpcioServer.run { server in
            let replies = try await server.client.serverStream(Instruction(messages: 1, hang: true))
            #expect(try await replies.next()?.index == 0)
            server.process.stop()
            let error = await #expect(throws: RPCError.self) { try await replies.next() }
            #expect(error?.code == .unavailable)
        }
    }

    // A port that was free a moment ago.
    private func unusedAddress() async throws -> Endpoint.Address {
        let running = try Server([]).start(on: .host("127.0.0.1", port: 0))
        let address = running.addresses[0]
        await running.stop(grace: .zero)
        return address
    }
}
