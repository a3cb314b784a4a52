// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Foundation
import Testing

@testable import ApusGenerator

struct GeneratedCodeTests {
    private func kept(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: ProtocRequest.root.appending(path: path)), as: UTF8.self)
    }

    @Test func `code that is kept, and compiled here, is what the generator writes`() throws {
        let echo = try ProtocRequest.respond(
            ["bench/echo.proto"], options: "visibility=public,import=ApusCore+ApusProtobuf,file_naming=base")
        #expect(echo.error == nil)
        #expect(echo.file.map(\.name) == ["echo.apus.swift"])
        #expect(try echo.file.first?.content == kept("Tests/ApusGeneratorTests/Generated/echo.apus.swift"))
        let test = try ProtocRequest.respond(
            [
                "test/everything.proto", "test/hidden.proto", "test/imported.proto", "test/legacy.proto",
                "test/legacy_public.proto",
            ], options: "import=ApusCore+ApusProtobuf,file_naming=base")
        #expect(test.error == nil)
        #expect(
            test.file.map(\.name) == [
                "everything.apus.swift", "hidden.apus.swift", "imported.apus.swift", "legacy.apus.swift",
                "legacy_public.apus.swift",
            ])
        for file in test.file {
            #expect(try file.content == kept("Tests/ApusProtobufTests/Generated/\(file.name)"))
        }
    }

    @Test func `comments are carried over, from above or behind`() throws {
        let text = """
            syntax = "proto3";
            // A thing.
            //
            //   Indented.
            message Thing {
              int32 a = 1;  // Behind.
              /* Above, in a block. */
              int32 b = 2;
            }
            """
        let content = try #require(try ProtocRequest.respond(toText: text).file.first?.content)
        #expect(content.contains("/// A thing.\n///\n///   Indented.\nstruct Thing: ProtobufMessage {"))
        #expect(content.contains("    /// Behind.\n    var a: Int32 = 0\n    /// Above, in a block.\n    var b: Int32"))
    }

    @Test func `idempotency goes into a method's description`() throws {
        let content = try kept("Tests/ApusProtobufTests/Generated/everything.apus.swift")
        #expect(content.contains("name: \"One\", kind: .unary, idempotency: .noSideEffects)"))
        #expect(content.contains("name: \"GetURL\", kind: .unary, idempotency: .idempotent)"))
        #expect(content.contains("name: \"Many\", kind: .serverStreaming)"))
    }

    @Test func `a request that is no request throws`() {
        #expect(throws: (any Error).self) { try CompilerPlugin.respond(to: [0xFF]) }
    }

    @Test func `protoc is told of proto3's optional and of editions up to 2023`() throws {
        let response = try CodeGeneratorResponse(serialized: CompilerPlugin.respond(to: []))
        #expect(response.supportedFeatures == 3)
        #expect(response.minimumEdition == 998 && response.maximumEdition == 1000)
    }
}
