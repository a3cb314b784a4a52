// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusProtobuf
import ApusServices
import ApusTransport
import Testing

/// A server in memory and a channel to it.
struct ServedPair {
    let running: RunningServer
    let channel: Channel

    /// Runs `body` with both, and checks that neither leaves anything behind.
    static func run(_ services: [any Service], _ body: (ServedPair) async throws -> Void) async throws {
        let network = InMemoryNetwork()
        let pair = ServedPair(
            running: try network.start(Server(services), as: "server"),
            channel: Channel(
                "server", interceptors: [PinnedEndpoint(Endpoint(.memory("server")))],
                transport: network.transport()))
        try await body(pair)
        pair.channel.close()
        await pair.running.stop(grace: .seconds(10))
        #expect(pair.running.counts.connections == 0)
        #expect(pair.running.counts.handlers == 0)
    }

    func watch(_ service: String) async throws -> ResponseStream<ProtobufCodec<GRPCHealthCheckResponse>> {
        try await GRPCHealth.Client(channel).watch(GRPCHealthCheckRequest(service: service))
    }

    /// Waits until no handler runs.
    func waitForHandlers() async {
        while running.counts.handlers > 0 { await Task.yield() }
    }
}
