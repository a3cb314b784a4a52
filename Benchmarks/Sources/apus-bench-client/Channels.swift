// SPDX-License-Identifier: Apache-2.0

import Apus
import BenchProtos

/// Channels to the server, each with connections of its own.
struct Channels {
    let clients: [Echo.Client]

    init(_ command: BenchClient, on loops: EventLoops) async throws {
        let address = Endpoint.Address.host("127.0.0.1", port: command.port)
        var options = TransportOptions()
        options.eventLoops = loops
        options.maximumResponseBytes = 65 << 20
        if command.tls {
            options.tls = ClientTLS()
            options.tls?.verification = .dangerouslyAcceptAnyCertificate
        }
        let registry = InMemoryRegistry()
        _ = try await registry.register(ServiceInstance(service: "bench", id: "1", endpoint: Endpoint(address)))
        clients = (0..<command.connections).map { _ in
            switch command.stack {
            case .bare:
                Echo.Client(Channel("bench", interceptors: [PinnedEndpoint(Endpoint(address))], options: options))
            case .default: Echo.Client(Channel("bench", registry: registry, options: options))
            }
        }
    }
}
