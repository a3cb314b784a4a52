// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Testing

@testable import ApusGenerator

/// What cannot be generated is said in one line, with its place.
struct RefusalTests {
    private func error(_ text: String) throws -> String? {
        let response = try ProtocRequest.respond(toText: text)
        #expect(response.file.isEmpty)
        return response.error
    }

    @Test(arguments: [
        ("editions", 1001, "edition 1001"), ("editions", 0, "edition 0"), ("proto4", 0, "proto4"),
    ])
    func `syntax and editions that are not known`(syntax: String, edition: Int32, name: String) throws {
        var file = FileDescriptorProto()
        (file.name, file.syntax, file.edition) = ("file.proto", syntax, edition)
        var request = CodeGeneratorRequest()
        (request.fileToGenerate, request.protoFile) = (["file.proto"], [file])
        let response = try CodeGeneratorResponse(serialized: CompilerPlugin.respond(to: request.serializedBytes()))
        #expect(response.error == "file.proto: \(name) is not supported, only proto2, proto3 and edition 2023")
    }

    @Test func `messages that require themselves, also by way of others`() throws {
        let text = """
            syntax = "proto2";
            message A { optional B b = 1; }
            message B { required C c = 1; }
            message C {
              required B b = 1;
            }
            """
        #expect(try error(text) == "file.proto:3: message B requires a message of its own type: there can be none")
    }

    @Test func `types of several files with one Swift name`() throws {
        let response = try ProtocRequest.respond(files: [
            "a.proto": "syntax = \"proto3\"; package a; message User {}",
            "b.proto": "syntax = \"proto3\"; package b;\nmessage Other {}\nservice User {}",
        ])
        #expect(
            response.error == "b.proto:3: b.User would be User in Swift, like the type at a.proto:1: give one of the "
                + "files an option swift_prefix, or generate them into two modules")
        #expect(response.file.isEmpty)
    }

    @Test func `two files with one output`() throws {
        let response = try ProtocRequest.respond(["bench/echo.proto", "bench/echo.proto"], options: "file_naming=base")
        #expect(response.error == "two files would be written to echo.apus.swift: use option file_naming=path")
    }
}
