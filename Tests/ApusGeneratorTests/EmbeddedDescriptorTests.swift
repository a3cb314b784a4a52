// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

@testable import ApusGenerator

/// The descriptors that generated files carry for server reflection.
struct EmbeddedDescriptorTests {
    private func embedded(in content: String) throws -> FileDescriptorSet? {
        let parts = content.split(separator: "\"\"\"\n", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return nil }
        let text = parts[1].filter { !$0.isWhitespace && $0 != "\\" && $0 != "\"" }
        let bytes = Array(text.utf8).withUnsafeBytes(Base64.decode)
        return try FileDescriptorSet(serialized: #require(bytes))
    }

    private func content(_ file: String, options: String = "") throws -> String {
        try #require(try ProtocRequest.respond([file], options: options).file.first?.content)
    }

    @Test func `a file comes with its imports in front, without the places of its source`() throws {
        let set = try #require(try embedded(in: content("test/everything.proto")))
        #expect(set.file.last?.name == "test/everything.proto")
        var seen: Set<String> = []
        for file in set.file {
            #expect(seen.isSuperset(of: file.dependency))
            #expect(file.sourceCodeInfo == nil)
            seen.insert(file.name)
        }
        #expect(seen.contains("test/imported.proto"))
        #expect(set.file.count == seen.count)
    }

    @Test func `what the generator does not know of a descriptor is kept`() throws {
        let text = """
            syntax = "proto3";
            option java_package = "a.b";
            enum E { ZERO = 0; ONE = 1; }
            message M { int32 some_field = 1 [deprecated = true]; reserved 4 to 6; }
            service S { rpc C(M) returns (M); }
            """
        let content = try #require(try ProtocRequest.respond(toText: text).file.first?.content)
        let file = try #require(try embedded(in: content)?.file.first)
        // java_package and reserved_range, by their numbers in descriptor.proto.
        #expect(file.options?.unknownFields.bytes == [0x0A, 3] + Array("a.b".utf8))
        #expect(file.messageType.first?.unknownFields.bytes == [0x4A, 4, 8, 4, 16, 7])
        // Go's readers insist on a number for each value, also for 0.
        let zero = try #require(file.enumType.first?.value.first).serializedBytes()
        #expect(zero == [0x0A, 4] + Array("ZERO".utf8) + [0x10, 0])
    }

    @Test func `only files with handlers carry a descriptor`() throws {
        #expect(try embedded(in: content("bench/echo.proto")) != nil)
        #expect(try embedded(in: content("bench/echo.proto", options: "server=false")) == nil)
        #expect(try embedded(in: content("test/imported.proto")) == nil)
    }

    @Test func `a handler tells its service and its file`() throws {
        struct Nothing: Service { var routes: [Route] { [] } }
        #expect(Nothing().descriptor == nil)
        let content = try content("bench/echo.proto")
        #expect(content.contains("ServiceDescriptor(service: \"bench.Echo\", fileDescriptorSet: _fileDescriptorSet)"))
        let lines = EmbeddedDescriptors.literal("abcdefg", width: 3)
        #expect(lines == ["abc\\", "def\\", "g"])
        #expect(EmbeddedDescriptors.literal("abc", width: 3) == ["abc"])
    }
}
