// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusInterop

/// The cases of the interop client against the interop server, in one process.
@Suite(.timeLimit(.minutes(10))) struct CaseTests {
    @Test(arguments: InteropCase.positive)
    func `a case passes in memory`(_ testCase: InteropCase) async throws {
        let network = InMemoryNetwork()
        let running = try network.start(InteropServer.make(), as: "interop")
        try await check(testCase, running) {
            Channel(
                "interop", interceptors: [PinnedEndpoint(Endpoint(.memory("interop")))],
                transport: network.transport())
        }
    }

    @Test(arguments: InteropCase.positive)
    func `a case passes over TCP`(_ testCase: InteropCase) async throws {
        let running = try InteropServer.make().start(on: .host("127.0.0.1", port: 0))
        try await check(testCase, running) { [address = running.addresses[0]] in Channel(to: address) }
    }

    @Test(arguments: InteropCase.positive)
    func `a case passes over TLS`(_ testCase: InteropCase) async throws {
        let authority = try TLSTestAuthority()
        var options = ServerOptions()
        options.tls = ServerTLS(try authority.issue(ip: ["127.0.0.1"]))
        let running = try InteropServer.make().start(on: .host("127.0.0.1", port: 0), options: options)
        var client = TransportOptions()
        client.tls = ClientTLS(roots: authority.roots)
        try await check(testCase, running) { [address = running.addresses[0], client] in
            Channel(to: address, options: client)
        }
    }

    private func check(
        _ testCase: InteropCase, _ running: RunningServer, _ open: @escaping @Sendable () -> Channel
    ) async throws {
        let client = InteropClient(soak: .patient, open: open)
        try await client.run(testCase)
        client.channel.close()
        await running.stop(grace: .seconds(30))
        #expect(running.counts.connections == 0)
        #expect(running.counts.handlers == 0)
    }

    @Test func `the cases that the descriptions name are there`() {
        let names = [
            "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
            "client_compressed_unary", "server_compressed_unary", "client_compressed_streaming",
            "server_compressed_streaming", "custom_metadata", "status_code_and_message", "special_status_message",
            "unimplemented_method",
            "unimplemented_service", "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server",
            "rpc_soak", "channel_soak", "orca_per_rpc", "orca_oob",
        ]
        #expect(Set(InteropCase.positive.map(\.name)) == Set(names))
        let negative = [
            "goaway", "rst_after_header", "rst_during_data", "rst_after_data", "ping", "data_frame_padding",
            "no_df_padding_sanity_test", "max_streams",
        ]
        #expect(InteropCase.negative.map(\.name) == negative)
    }
}

extension SoakLimits {
    /// No call is late, however slow the machine is.
    static var patient: SoakLimits {
        var limits = SoakLimits()
        limits.latency = .seconds(3600)
        limits.overall = .seconds(3600)
        return limits
    }
}

extension InteropCase: CustomTestStringConvertible {
    package var testDescription: String { name }
}
