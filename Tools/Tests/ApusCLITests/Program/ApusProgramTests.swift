// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct ApusProgramTests {
    private func run(_ arguments: String...) async -> (status: Int32, output: RecordedOutput) {
        let output = RecordedOutput()
        return (await ApusProgram.run(arguments, output), output)
    }

    @Test(arguments: [
        [], ["list"], ["describe"], ["call"], ["health"], ["load"], ["top"], ["generate"], ["registry"],
        ["registry", "list"],
        ["registry", "watch"], ["registry", "drain"],
    ])
    func `every command has help with a usage, within 80 columns`(command: [String]) async throws {
        let output = RecordedOutput()
        #expect(await ApusProgram.run(command + ["--help"], output) == 0)
        let text = try #require(output.answers.first)
        #expect(text.contains("USAGE: apus \(command.joined(separator: " "))"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test(arguments: ["list", "describe", "call", "health", "load", "top", "generate", "registry"])
    func `every command's help shows how it is called`(command: String) async {
        let (_, output) = await run(command, "--help")
        #expect(output.answers.first?.contains("\n  apus \(command) ") == true)
    }

    @Test func `a mistake in the flags is one line that names the help`() async {
        let (status, output) = await run("list", ":1", "--timeout", "soon")
        #expect(status == 64)
        #expect(
            output.complaints
                == ["apus: The value 'soon' is invalid for '--timeout <time>'; see 'apus list --help'"])
    }

    @Test func `a wrong address is told before anything is called`() async {
        let (status, output) = await run("call", "nowhere", "a.B/C", "-d", "{}")
        #expect(status == 64)
        #expect(output.complaints.first?.hasPrefix("apus: 'nowhere' is no address") == true)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `completions come from the program`(shell: String) async {
        let (status, output) = await run("--generate-completion-script", shell)
        #expect(status == 0)
        #expect(output.answers.first?.contains("health") == true)
    }
}
