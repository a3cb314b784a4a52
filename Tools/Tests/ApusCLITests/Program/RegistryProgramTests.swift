// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import ParrotSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct RegistryProgramTests {
    @Test func `instances of a folder are listed, watched, called and drained`() async throws {
        let scratch = try Scratch()
        let registry = DirectoryRegistry(path: scratch.path, lease: .seconds(3600))
        let parrot = try LoopbackParrot()
        _ = try await registry.register(
            ServiceInstance(service: "parrots", id: "p1", endpoint: Endpoint(parrot.running.addresses[0])))
        let flags = ["--directory", scratch.path]
        let list = try await ToolProcess(["registry", "list"] + flags).end()
        #expect(list.output.contains("parrots  p1        \(parrot.address)"), "\(list.output)\(list.errors)")
        let watch = try ToolProcess(["registry", "watch", "parrots"] + flags)
        #expect(await watch.nextLine()?.hasSuffix("  + \(parrot.address)") == true)
        let call = try await ToolProcess(
            ["call", "parrots", "apus.tools.v1.Parrot/Say", "--compact", "-d", #"{"text": "hi"}"#] + flags
        ).end()
        #expect(call.output == "{\"text\":\"hi\",\"number\":\"1\"}\n", "\(call.errors)")
        let drain = try await ToolProcess(["registry", "drain", "parrots", "p1"] + flags).end()
        #expect(drain.output == "parrots p1 at \(parrot.address) is drained\n", "\(drain.errors)")
        #expect(await watch.nextLine()?.hasSuffix("  - \(parrot.address)") == true)
        let undo = try await ToolProcess(["registry", "drain", "parrots", parrot.address, "--undo"] + flags).end()
        #expect(undo.status == 0)
        #expect(await watch.nextLine()?.hasSuffix("  + \(parrot.address)") == true)
        watch.send(SIGKILL)
        await registry.close()
        await parrot.stop()
    }

    @Test func `what is not there is told in one line`() async throws {
        let scratch = try Scratch()
        let none = try await ToolProcess.run("registry", "list", "--directory", scratch.path)
        #expect((none.status, none.errors) == (64, "apus: the registry is empty\n"))
        let nowhere = try await ToolProcess.run("registry", "list")
        #expect((nowhere.status, nowhere.errors.contains("--directory PATH or --etcd")) == (64, true))
        let nobody = try await ToolProcess.run("registry", "drain", "owls", "o1", "--directory", scratch.path)
        #expect((nobody.status, nobody.errors) == (64, "apus: nobody serves 'owls' in this registry\n"))
    }
}
