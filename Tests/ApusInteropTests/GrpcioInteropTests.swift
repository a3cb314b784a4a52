// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusInterop

/// The interop cases with Python's gRPC at one end; `Tests/Peers/README.md` tells what that can and cannot do.
@Suite(.serialized, .timeLimit(.minutes(2))) struct GrpcioInteropTests {
    @Test func `the cases pass against Python's server`() async throws {
        let server = try PythonProcess("Tests/Peers/interop_server.py")
        defer { server.stop() }
        let address = try await server.address()
        let client = InteropClient(soak: .patient) { Channel(to: address) }
        defer { client.channel.close() }
        for testCase in InteropCase.positive {
            await #expect(throws: Never.self) { try await client.run(testCase) }
        }
    }

    @Test func `Python's client passes the cases against our server`() async throws {
        try await serve { address in
            let client = try PythonProcess(
                "Tests/Peers/interop_client.py", [address] + InteropCase.positive.map(\.name))
            defer { client.stop() }
            let lines = try await client.succeeds().split(separator: "\n").map(String.init)
            #expect(lines == InteropCase.positive.map(\.name))
        }
    }

    @Test func `Python's clients of health and reflection understand ours`() async throws {
        try await serve { address in
            let client = try PythonProcess("Tests/Peers/services_client.py", [address])
            defer { client.stop() }
            try await client.succeeds()
        }
    }

    @Test(arguments: InteropCase.negative)
    func `a case passes against a server of Python's h2 that behaves oddly`(_ testCase: InteropCase) async throws {
        let server = try PythonProcess("Tests/Peers/http2_server.py", [testCase.name])
        defer { server.stop() }
        let address = try await server.address()
        var client = InteropClient { Channel(to: address) }
        client.pause = .zero
        try await client.run(testCase)
        client.channel.close()
        // It judges the client, too.
        try await server.succeeds()
    }

    private func serve(_ body: (_ address: String) async throws -> Void) async throws {
        let running = try InteropServer.make().start(on: .host("127.0.0.1", port: 0))
        try await body("\(running.addresses[0])")
        await running.stop(grace: .seconds(30))
        #expect(running.counts.connections == 0)
        #expect(running.counts.handlers == 0)
    }
}

extension PythonProcess {
    /// Where a server listens that prints its port first.
    func address() async throws -> Endpoint.Address {
        let line = try await firstLine()
        guard let port = Int(line) else { throw RPCError(.internal, "the server printed \(line)") }
        return .host("127.0.0.1", port: port)
    }
}
