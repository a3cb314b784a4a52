// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport

/// How channels reach servers: in memory, or by sockets on loopback.
enum Way: CaseIterable, Sendable {
    case memory, loopback

    /// Starts servers, and tells where they are and who gets there.
    func start(
        _ servers: [Server]
    ) throws -> (running: [RunningServer], candidates: Candidates, transport: any ClientTransport) {
        switch self {
        case .memory:
            let network = InMemoryNetwork()
            let running = try servers.enumerated().map { try network.start($1, as: "server-\($0)") }
            let endpoints = servers.indices.map { Endpoint(.memory("server-\($0)")) }
            return (running, Candidates(endpoints), network.transport())
        case .loopback:
            let running = try servers.map { try $0.start(on: .host("127.0.0.1", port: 0)) }
            return (running, Candidates(running.map { Endpoint($0.addresses[0]) }), HTTP2Transport())
        }
    }
}
