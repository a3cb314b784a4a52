// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusChannelz
import Testing

/// The client of grpcio-channelz looks into this process. What it checks stands in `Tests/Peers/channelz_client.py`.
@Suite(.timeLimit(.minutes(5))) struct GrpcioChannelzTests {
    private struct Answering: Service {
        let method = MethodDescriptor(service: "test.Answering", name: "Ask", kind: .unary)

        var routes: [Route] {
            [
                Route(method) { call in
                    if call.metadata["fail"] != nil { throw RPCError(.notFound, "no") }
                    return ServerResponse(message: MessageBytes([]))
                }
            ]
        }
    }

    @Test func `Python's client of channelz finds servers, channels and sockets`() async throws {
        let service = Answering()
        let running = try Server([service] + AdminServices.all()).start(on: .host("127.0.0.1", port: 0))
        let address = try #require(running.addresses.first)
        let channel = Channel("asked-\(address)", interceptors: [PinnedEndpoint(Endpoint(address))])
        for _ in 0..<2 { _ = try await channel.start(service.method, .one(MessageBytes([]))) }
        await #expect(throws: RPCError.self) {
            try await channel.start(
                service.method, .one(MessageBytes([])), options: CallOptions(metadata: ["fail": "1"]))
        }
        let client = try PeerProcess(python: "Tests/Peers/channelz_client.py", ["\(address)", "asked-\(address)"])
        defer { client.stop() }
        try await client.succeeds()
        channel.close()
        await running.stop(grace: .seconds(60))
    }
}
