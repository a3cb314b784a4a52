// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusGenerator

/// What cannot be generated is said in one line, with its place.
struct RefusalTests {
    private func error(_ text: String) throws -> String? {
        let response = try ProtocRequest.respond(toText: text)
        #expect(response.file.isEmpty)
        return response.error
    }

    @Test func `proto2 files`() throws {
        #expect(
            try error("// A comment.\nsyntax = \"proto2\";\nmessage M {}")
                == "file.proto:2: syntax proto2 is not supported yet, only proto3")
        #expect(try error("message M {}") == "file.proto: syntax proto2 is not supported yet, only proto3")
    }

    @Test func `extensions`() throws {
        let text = """
            syntax = "proto3";
            import "google/protobuf/descriptor.proto";
            message M {
              extend google.protobuf.FieldOptions { string mine = 50000; }
            }
            """
        #expect(try error(text) == "file.proto:4: extensions are not supported yet")
    }

    @Test func `fields whose type is proto2`() throws {
        let text = """
            syntax = "proto3";
            import "google/protobuf/descriptor.proto";
            message M {
              google.protobuf.FileOptions options = 1;
            }
            """
        #expect(
            try error(text) == "file.proto:4: type google.protobuf.FileOptions of google/protobuf/descriptor.proto "
                + "is proto2: not supported yet")
    }

    @Test func `two files with one output`() throws {
        let response = try ProtocRequest.respond(["bench/echo.proto", "bench/echo.proto"], options: "file_naming=base")
        #expect(response.error == "two files would be written to echo.apus.swift: use option file_naming=path")
    }
}
