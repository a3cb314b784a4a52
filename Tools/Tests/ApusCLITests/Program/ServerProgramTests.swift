// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import ParrotSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ServerProgramTests {
    private static let say = "apus.tools.v1.Parrot/Say"

    private static var proto: [String] {
        let protos = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../../proto")
            .standardized.path
        return ["--proto", "\(protos)/apus/tool_tests.proto", "-I", protos]
    }

    @Test func `services, methods and types are listed by reflection`() async throws {
        let parrot = try LoopbackParrot()
        let services = try await ToolProcess.run("list", parrot.address)
        #expect(
            services.output.split(separator: "\n") == [
                "apus.tools.v1.Parrot", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection",
            ])
        let methods = try await ToolProcess.run("list", parrot.address, "apus.tools.v1.Parrot")
        #expect(methods.output.hasPrefix("rpc Say(apus.tools.v1.SayRequest) returns (apus.tools.v1.SayReply)\n"))
        let type = try await ToolProcess.run("describe", parrot.address, "apus.tools.v1.SayReply.Place")
        #expect(
            type.output == """
                // apus.tools.v1.SayReply.Place, in apus/tool_tests.proto
                message Place {
                  int64 branch = 1;
                }

                """)
        await parrot.stop()
    }

    @Test func `without reflection the error says what to give instead, and that works`() async throws {
        let parrot = try LoopbackParrot(reflects: false)
        let list = try await ToolProcess.run("list", parrot.address)
        #expect(list.status == 12)
        #expect(list.errors.hasPrefix("apus: UNIMPLEMENTED: "))
        #expect(
            list.errors.hasSuffix("give the .proto files with --proto, or a descriptor set with --descriptor-set\n"))
        let call = try await ToolProcess(
            ["call", parrot.address, Self.say, "-d", #"{"text": "hi"}"#, "--compact"] + Self.proto
        ).end()
        #expect(call.output == "{\"text\":\"hi\",\"number\":\"1\"}\n", "\(call.errors)")
        await parrot.stop()
    }

    @Test func `files are described without a server`() async throws {
        let end = try await ToolProcess(["describe", "apus.tools.v1.Volume"] + Self.proto).end()
        #expect(end.output.contains("// How loud the parrot is.\nenum Volume {\n"), "\(end.errors)")
        let missing = try await ToolProcess(["describe", "apus.tools.v1.Owl"] + Self.proto).end()
        #expect(missing.status == 5)
    }

    @Test func `a server that is not there is told with what to look for`() async throws {
        let parrot = try LoopbackParrot()
        let address = parrot.address
        await parrot.stop()
        let end = try await ToolProcess.run("list", address, "--stack", "bare")
        #expect(end.status == 14)
        #expect(end.errors.contains("is the server running, and is this its address?"))
        #expect(end.errors.split(separator: "\n").count == 1)
    }

    @Test func `TLS is spoken with an authority from a file, and a stranger is refused`() async throws {
        let (authority, stranger) = (try TLSTestAuthority(), try TLSTestAuthority("a stranger"))
        var options = ServerOptions()
        options.tls = ServerTLS(try authority.issue(dns: ["parrot.test"], ip: ["127.0.0.1"]))
        let parrot = try LoopbackParrot(options: options)
        let scratch = try Scratch()
        let (good, bad) = (
            try scratch.write(authority.pem, to: "good.pem"), try scratch.write(stranger.pem, to: "bad.pem")
        )
        let words = ["call", parrot.address, Self.say, "--stack", "bare", "--compact", "-d", #"{"text": "hi"}"#]
        func run(_ more: String...) async throws -> ToolProcess.End { try await ToolProcess(words + more).end() }
        #expect(try await run("--cacert", good).output == "{\"text\":\"hi\",\"number\":\"1\"}\n")
        #expect(try await run("--cacert", good, "--server-name", "parrot.test").status == 0)
        #expect(try await run("--insecure").status == 0)
        for more in [["--cacert", bad], ["--cacert", good, "--server-name", "owl.test"]] {
            let refused = try await ToolProcess(words + more).end()
            #expect(refused.status == 14)
            #expect(refused.errors.contains("name the authority with --cacert"), "\(refused.errors)")
        }
        await parrot.stop()
    }

    @Test func `a client certificate is shown`() async throws {
        let authority = try TLSTestAuthority()
        var options = ServerOptions()
        options.tls = ServerTLS(try authority.issue(ip: ["127.0.0.1"]), clients: .required(authority.roots))
        let parrot = try LoopbackParrot(options: options)
        let scratch = try Scratch()
        let own = try authority.issue(dns: ["operator"])
        guard case .bytes(let chain) = own.chain, case .bytes(let key) = own.privateKey else {
            Issue.record("a test authority issues texts")
            return
        }
        let end = try await ToolProcess.run(
            "health", parrot.address, "--cacert", scratch.write(authority.pem, to: "ca.pem"),
            "--cert", scratch.write(String(decoding: chain, as: UTF8.self), to: "cert.pem"),
            "--key", scratch.write(String(decoding: key, as: UTF8.self), to: "key.pem"))
        #expect(end.output == "SERVING\n", "\(end.errors)")
        await parrot.stop()
    }

    @Test func `without a reader it ends as other programs do, and says nothing`() async throws {
        let parrot = try LoopbackParrot()
        for words in [["--help"], ["list", parrot.address], ["health", parrot.address]] {
            let end = try await ToolProcess(words, hasReader: false).end()
            #expect((end.status, end.errors) == (-SIGPIPE, ""), "\(words)")
        }
        await parrot.stop()
    }

    @Test func `what a server says cannot steer the terminal`() async throws {
        let parrot = try LoopbackParrot()
        let end = try await ToolProcess.run(
            "call", parrot.address, "apus.tools.v1.Parrot/Say", "--compact", "-d", #"{"text": "a\u009B2J\u202Eb"}"#)
        #expect(end.output == #"{"text":"a\u009B2J\u202Eb","number":"1"}"# + "\n", "\(end.errors)")
        await parrot.stop()
    }

    @Test func `a Unix socket is an address`() async throws {
        let scratch = try Scratch()
        let parrot = try LoopbackParrot(on: .unix(path: "\(scratch.path)/p.sock"))
        let end = try await ToolProcess.run("health", "unix:\(scratch.path)/p.sock")
        #expect(end.output == "SERVING\n", "\(end.errors)")
        await parrot.stop()
    }

    @Test func `health is told by the status, too, and a watch tells changes`() async throws {
        let parrot = try LoopbackParrot()
        parrot.health.set("apus.tools.v1.Parrot", .serving)
        let serving = try await ToolProcess.run("health", parrot.address, "apus.tools.v1.Parrot")
        #expect((serving.status, serving.output) == (0, "SERVING\n"))
        let watch = try ToolProcess(["health", parrot.address, "apus.tools.v1.Parrot", "--watch"])
        #expect(await watch.nextLine()?.hasSuffix("  SERVING") == true)
        parrot.health.set("apus.tools.v1.Parrot", .notServing)
        #expect(await watch.nextLine()?.hasSuffix("  NOT_SERVING") == true)
        watch.send(SIGINT)
        #expect(await watch.end().status == -SIGINT)
        let ill = try await ToolProcess.run("health", parrot.address, "apus.tools.v1.Parrot")
        #expect((ill.status, ill.output, ill.errors) == (1, "NOT_SERVING\n", ""))
        #expect(try await ToolProcess.run("health", parrot.address, "Owl").status == 5)
        await parrot.stop()
    }
}
