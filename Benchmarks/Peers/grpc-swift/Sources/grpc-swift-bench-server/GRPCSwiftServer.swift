// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import GRPCCore
import GRPCNIOTransportHTTP2

@main
struct GRPCSwiftServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grpc-swift-bench-server", abstract: "Serves bench.Echo with grpc-swift-2.")

    @Option(help: "The port to listen on.")
    var port: Int

    func run() async throws {
        let server = GRPCServer(
            transport: .http2NIOPosix(
                address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext,
                config: .defaults { $0.rpc.maxRequestPayloadSize = 65 << 20 }),
            services: [EchoService()])
        try await server.serve()
    }
}
