// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Testing

@testable import ApusCLI

struct GenerateCommandTests {
    private func command(_ words: String...) throws -> GenerateCommand {
        try GenerateCommand.parse(words)
    }

    @Test func `protoc gets the folder of a file, the plugin, and the code's visibility`() throws {
        #expect(
            try command("protos/a.proto").arguments("/p") == [
                "--proto_path=protos", "--plugin=protoc-gen-apus=/p",
                "--apus_out=visibility=internal,file_naming=base:.", "protos/a.proto",
            ])
    }

    @Test func `every flag reaches the plugin`() throws {
        let words = try command(
            "a.proto", "b.proto", "-I", "x", "-o", "out", "--visibility", "public", "--client-only", "--module", "Apus"
        ).arguments("/p")
        #expect(words.contains("--proto_path=x"))
        #expect(words.contains("--apus_out=visibility=public,file_naming=base,server=false,import=Apus:out"))
        #expect(words.suffix(2) == ["a.proto", "b.proto"])
    }

    @Test func `neither clients nor servers is a mistake`() {
        #expect(throws: (any Error).self) { try command("a.proto", "--client-only", "--server-only") }
    }
}
