// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import Testing

@testable import ApusInterop

/// The two programs as others start them: command lines, lines of output, and exit statuses.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ProgramTests {
    private func server(_ arguments: [String]) throws -> PeerProcess {
        try PeerProcess(product: "apus-interop-server", arguments)
    }

    private func client(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let client = try PeerProcess(product: "apus-interop-client", arguments)
        defer { client.stop() }
        return await client.end()
    }

    // "listening on [::]:50051"
    private func port(_ server: PeerProcess) async throws -> String {
        let line = try await server.firstLine()
        #expect(line.hasPrefix("listening on "))
        return String(try #require(line.split(separator: ":").last))
    }

    @Test func `a server says where it listens, and a signal ends it well`() async throws {
        let server = try server(["--port", "0"])
        defer { server.stop() }
        let port = try await port(server)
        for host in ["127.0.0.1", "localhost"] {
            let (status, output) = try await client([
                "--server_host", host, "--server_port=\(port)", "--test_case=empty_unary", "--use_tls=false",
                "--additional_metadata=x-one:1;x-two:2",
            ])
            #expect((status, output) == (0, "empty_unary: passed\n"))
        }
        server.send(SIGTERM)
        #expect(await server.end().status == 0)
    }

    @Test func `additional metadata goes with every call`() async throws {
        let running = try InteropServer.make().start(on: .host("127.0.0.1", port: 0))
        guard case .host(_, let port) = running.addresses[0] else { throw RPCError(.internal, "no port") }
        let pairs = "\(InteropMetadata.initialKey):a:b;\(InteropMetadata.trailingKey):c"
        let flags = try ClientFlags([
            "--server_host=127.0.0.1", "--server_port=\(port)", "--additional_metadata", pairs,
        ])
        let channel = flags.channel()
        for _ in 0..<2 {
            let response = try await channel.unary(TestService.Methods.emptyCall, Empty())
            #expect(response.metadata[InteropMetadata.initialKey] == "a:b")
            #expect(response.trailers[binary: InteropMetadata.trailingKey] == [UInt8(ascii: "c")])
        }
        channel.close()
        await running.stop(grace: .seconds(30))
    }

    @Test func `over TLS a client trusts the authority that it is told of, and no other`() async throws {
        let files = try CertificateFiles()
        let others = try CertificateFiles()
        let server = try server([
            "--port=0", "--use_tls", "true", "--tls_cert_file=\(files.chain)", "--tls_key_file", files.key,
        ])
        defer { server.stop() }
        let flags = [
            "--server_host=127.0.0.1", "--server_port=\(try await port(server))", "--use_tls=true",
            "--server_host_override=\(CertificateFiles.name)", "--test_case=large_unary",
        ]
        #expect(try await client(flags + ["--ca_file=\(files.roots)"]) == (0, "large_unary: passed\n"))
        for roots in [["--ca_file=\(others.roots)"], []] {
            let (status, output) = try await client(flags + roots)
            #expect(status == 1)
            #expect(output.hasPrefix("apus-interop-client: large_unary failed: UNAVAILABLE"))
            #expect(output.split(separator: "\n").count == 1)
        }
    }

    @Test(arguments: [
        (["--test_case=jwt_token_creds"], "the test case jwt_token_creds needs credentials of Google's cloud"),
        (["--test_case=nothing"], "unknown test case 'nothing'"),
        (["--server_port=0"], "--server_port is 1 to 65535, not '0'"),
        (["--verbose"], "unknown flag --verbose"),
        (["--server_port=1", "--server_host=127.0.0.1"], "large_unary failed: UNAVAILABLE: connect 127.0.0.1:1"),
        (["--use_tls", "--ca_file=/nothing.pem"], "/nothing.pem"),
    ])
    func `a client that cannot pass says why in one line`(_ arguments: [String], _ text: String) async throws {
        let (status, output) = try await client(arguments)
        #expect(status == 1)
        #expect(output.hasPrefix("apus-interop-client: ") && output.contains(text))
        #expect(output.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        (["--port=x"], "--port is 0 to 65535, not 'x'"),
        (["--use_tls"], "--use_tls true needs --tls_cert_file and --tls_key_file"),
        (["--port=0", "--use_tls", "--tls_cert_file=/nothing.pem", "--tls_key_file=/nothing.key"], "/nothing.pem"),
        (["--custom_credentials_type=x"], "--custom_credentials_type is not supported"),
    ])
    func `a server that cannot serve says why in one line`(_ arguments: [String], _ text: String) async throws {
        let server = try server(arguments)
        defer { server.stop() }
        let (status, output) = await server.end()
        #expect(status == 1)
        #expect(output.hasPrefix("apus-interop-server: ") && output.contains(text))
        #expect(output.split(separator: "\n").count == 1)
    }

    @Test func `a port that is taken is told`() async throws {
        let first = try server(["--port=0"])
        defer { first.stop() }
        let port = try await port(first)
        let second = try server(["--port=\(port)"])
        defer { second.stop() }
        let (status, output) = await second.end()
        #expect(status == 1)
        #expect(output.contains(port) && output.contains("in use"))
    }
}
