// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BenchLoad
import EchoProtos
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2

@main
struct GRPCSwiftClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grpc-swift-bench-client", abstract: "A closed loop of calls with grpc-swift-2.",
        discussion: LoadOptions.discussion)

    @OptionGroup var load: LoadOptions

    func run() async throws {
        let channels = try (0..<load.connections).map { _ in try channel() }
        for channel in channels { Task { try await channel.runConnections() } }
        let clients = channels.map { Bench_Echo.Client(wrapping: $0) }
        let calls = Calls(payload: load.payload)
        let mode = load.mode
        let report = try await ClosedLoop(load).run(on: []) {
            clients[$0 % clients.count]
        } turn: {
            try await calls.turn(mode, $0, &$1, &$2)
        }
        report.show()
        Foundation.exit(report.errors == 0 ? 0 : 1)
    }

    private func channel() throws -> GRPCClient<HTTP2ClientTransport.Posix> {
        let target = ResolvableTargets.IPv4(addresses: [.init(host: "127.0.0.1", port: load.port)])
        // A megabyte above the largest payload.
        let service = ServiceConfig(methodConfig: [
            MethodConfig(names: [.init(service: "")], maxResponseMessageBytes: 65 << 20)
        ])
        return GRPCClient(
            transport: try .http2NIOPosix(target: target, transportSecurity: .plaintext, serviceConfig: service))
    }
}
