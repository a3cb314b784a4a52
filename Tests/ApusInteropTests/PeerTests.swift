// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusInterop

/// The interop cases with a stranger's gRPC at one end; `Tests/Peers/README.md` tells what these can and cannot do.
@Suite(.serialized, .timeLimit(.minutes(10))) struct PeerTests {
    @Test(arguments: Peer.allCases)
    func `the cases pass against their server`(_ peer: Peer) async throws {
        let server = try peer.server([])
        defer { server.stop() }
        try await pass(peer.served, ["--server_port=\(try await server.port())"])
    }

    @Test(arguments: Peer.allCases)
    func `the cases pass against their server over TLS`(_ peer: Peer) async throws {
        let files = try CertificateFiles()
        let server = try peer.server([files.chain, files.key])
        defer { server.stop() }
        let port = try await server.port()
        let flags = ["--server_port=\(port)", "--use_tls", "--ca_file=\(files.roots)"]
        try await pass(peer.served, flags)
        try await pass([.named("large_unary")], flags + ["--server_host_override=\(CertificateFiles.name)"])
        let stranger = try await #require(throws: InteropFailure.self) {
            try await run(.named("large_unary"), flags + ["--server_host_override=example.test"])
        }
        #expect(stranger.description.contains("example.test"))
    }

    @Test(arguments: Peer.allCases)
    func `their client passes the cases against our server`(_ peer: Peer) async throws {
        try await serve(ServerOptions()) { try await pass(peer, [$0]) }
    }

    @Test(arguments: Peer.allCases)
    func `their client passes the cases against our server over TLS`(_ peer: Peer) async throws {
        let files = try CertificateFiles()
        var options = ServerOptions()
        options.tls = ServerTLS(.files(chain: files.chain, privateKey: files.key))
        try await serve(options) { try await pass(peer, [$0, "--roots=\(files.roots)"]) }
    }

    @Test func `Python's clients of health and reflection understand ours`() async throws {
        try await serve(ServerOptions()) { address in
            let client = try PeerProcess(python: "Tests/Peers/services_client.py", [address])
            defer { client.stop() }
            try await client.succeeds()
        }
    }

    private func pass(_ cases: [InteropCase], _ flags: [String]) async throws {
        for testCase in cases {
            await #expect(throws: Never.self) { try await run(testCase, flags) }
        }
    }

    private func run(_ testCase: InteropCase, _ flags: [String]) async throws {
        let flags = try ClientFlags(["--server_host=127.0.0.1"] + flags)
        let client = InteropClient(soak: .patient) { flags.channel() }
        defer { client.channel.close() }
        try await client.run(testCase)
    }

    private func pass(_ peer: Peer, _ arguments: [String]) async throws {
        let names = peer.called.map(\.name)
        let client = try peer.client(arguments + names)
        defer { client.stop() }
        let lines = try await client.succeeds().split(separator: "\n").map(String.init)
        #expect(lines == names)
    }

    private func serve(_ options: ServerOptions, _ body: (_ address: String) async throws -> Void) async throws {
        let running = try InteropServer.make().start(on: .host("127.0.0.1", port: 0), options: options)
        try await body("\(running.addresses[0])")
        await running.stop(grace: .seconds(30))
        #expect(running.counts.connections == 0)
        #expect(running.counts.handlers == 0)
    }
}

/// The cases against servers that send what HTTP/2 allows and few servers send.
@Suite(.serialized, .timeLimit(.minutes(10))) struct NegativeCaseTests {
    @Test(arguments: InteropCase.negative)
    func `a case passes against a server of Python's h2 that behaves oddly`(_ testCase: InteropCase) async throws {
        let server = try PeerProcess(python: "Tests/Peers/http2_server.py", [testCase.name])
        defer { server.stop() }
        let address = Endpoint.Address.host("127.0.0.1", port: try await server.port())
        var client = InteropClient { Channel(to: address) }
        client.pause = .zero
        try await client.run(testCase)
        client.channel.close()
        // It judges the client, too.
        try await server.succeeds()
    }
}

extension PeerProcess {
    /// The port of a server that prints it first.
    func port() async throws -> Int {
        let line = try await firstLine()
        guard let port = Int(line) else { throw RPCError(.internal, "the server printed \(line)") }
        return port
    }
}
