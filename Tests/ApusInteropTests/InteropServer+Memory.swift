// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusInterop

extension InteropServer {
    /// Runs `body` with a channel to an interop server of its own, in memory.
    static func serve(
        options: TransportOptions = TransportOptions(), _ body: (Channel) async throws -> Void
    ) async throws {
        let network = InMemoryNetwork()
        let running = try network.start(make(), as: "interop")
        let channel = Channel(
            "interop", interceptors: [PinnedEndpoint(Endpoint(.memory("interop")))],
            transport: network.transport(options: options))
        try await body(channel)
        channel.close()
        await running.stop(grace: .seconds(30))
        #expect(running.counts.connections == 0)
        #expect(running.counts.handlers == 0)
    }
}
