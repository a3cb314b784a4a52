// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import ParrotSupport
import Schemas
import Testing

struct ProtocTests {
    @Test func `PROTOC_PATH goes before the PATH`() throws {
        #expect(try Protoc(in: ["PROTOC_PATH": "/bin/sh", "PATH": "/usr/bin"]).path == "/bin/sh")
        let error = #expect(throws: RPCError.self) { try Protoc(in: ["PROTOC_PATH": "/none/protoc"]) }
        #expect(error?.message == "PROTOC_PATH names /none/protoc, which is no program")
    }

    @Test func `without a compiler the error says how to get one`() {
        let error = #expect(throws: RPCError.self) { try Protoc(in: ["PATH": "/none"]) }
        #expect(error?.message.contains("apt-get install protobuf-compiler") == true)
    }

    @Test func `the first folder of the PATH that has a program gives it`() {
        #expect(Protoc.find("sh", in: ["PATH": "/none:/bin"]) == "/bin/sh")
        #expect(Protoc.find("sh", in: [:]) == nil)
    }

    @Test func `imports are looked for in the given folders, else beside the files`() {
        #expect(Protoc.includes(["x", "y"], of: ["z/a.proto"]) == ["--proto_path=x", "--proto_path=y"])
        #expect(
            Protoc.includes([], of: ["z/a.proto", "b.proto", "z/c.proto", "/d.proto"])
                == ["--proto_path=z", "--proto_path=.", "--proto_path=/"])
    }

    @Test func `what protoc complains of is told in one line`() throws {
        let scratch = try Scratch()
        let file = try scratch.write("syntax = \"proto3\";\nmessage {", to: "bad.proto")
        let error = #expect(throws: RPCError.self) { try Schema(proto: [file], imports: []) }
        #expect(error?.message.hasPrefix("protoc: bad.proto:2:") == true)
        #expect(error?.message.contains("\n") == false)
    }

    @Test func `a file that is no descriptor set is told with the way to make one`() throws {
        let scratch = try Scratch()
        let file = try scratch.write("hello", to: "set.pb")
        let broken = #expect(throws: RPCError.self) { try Schema(descriptorSet: file) }
        #expect(broken?.message.contains("--descriptor_set_out=") == true)
        let missing = #expect(throws: RPCError.self) { try Schema(descriptorSet: "/none.pb") }
        #expect(missing?.message == "the descriptor set /none.pb cannot be read")
    }
}
