// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Testing

@testable import ApusGenerator

struct NameTests {
    @Test(arguments: [
        ("user_name", "userName"), ("id", "id"), ("HTTP_status", "httpStatus"), ("default", "`default`"),
        ("self", "self_"), ("unknown_fields", "unknownFields_"), ("a_2b", "a2b"), ("_x", "x"), ("URL", "url"),
        ("rawValue", "rawValue"), ("___", "____"), ("user_ID", "userId"),
    ])
    func `a field's name becomes a property's name`(proto: String, swift: String) {
        #expect(SwiftName.property(proto) == swift)
    }

    @Test(arguments: [
        ("GetUser", "getUser"), ("URLFetch", "urlFetch"), ("GetURL", "getURL"), ("Channel", "channel_"),
        ("Default", "`default`"), ("A", "a"), ("HTTP2Ping", "http2Ping"),
    ])
    func `a method's name begins small`(proto: String, swift: String) {
        #expect(SwiftName.method(proto) == swift)
    }

    @Test(arguments: [
        ("STATE_ACTIVE", "State", "ACTIVE"), ("ORDER_STATE_NEW", "OrderState", "NEW"), ("ACTIVE", "State", "ACTIVE"),
        ("STATE_2D", "State", "STATE_2D"), ("STATE_", "State", "STATE_"), ("HTTP2_ON", "Http2", "ON"),
    ])
    func `an enum's value drops the enum's name`(value: String, enumeration: String, rest: String) {
        #expect(SwiftName.withoutPrefix(value, of: enumeration) == rest)
    }

    @Test func `a type that would hide one of Swift or Apus gets a suffix`() {
        #expect(SwiftName.type("String", suffix: "Message", isTopLevel: false) == "StringMessage")
        #expect(SwiftName.type("Status", suffix: "Message", isTopLevel: true) == "StatusMessage")
        #expect(SwiftName.type("Status", suffix: "Message", isTopLevel: false) == "Status")
        #expect(SwiftName.type("user", suffix: "Message", isTopLevel: true) == "User")
        #expect(SwiftName.oneofType("result", besides: []) == "ResultOneOf")
        #expect(SwiftName.oneofType("kind", besides: ["Kind"]) == "KindOneOf")
    }

    @Test func `enum values that become equal are told apart by their numbers`() throws {
        let text = """
            syntax = "proto3";
            enum E { option allow_alias = true; E_A = 0; A = 0; e_b = 2; }
            """
        let content = try #require(try ProtocRequest.respond(toText: text).file.first?.content)
        #expect(content.contains("case a\n") && content.contains("static var a_0: E { .a }"))
        #expect(content.contains("case b\n"))
    }

    @Test func `fields that become equal are told apart by their numbers`() throws {
        // Described by hand: newer versions of protoc let such names pass, older ones do not.
        var message = DescriptorProto()
        message.name = "M"
        message.field = [("foo_bar", Int32(1)), ("FOO_bar", 2)].map { name, number in
            var field = FieldDescriptorProto()
            (field.name, field.number, field.label, field.type) = (name, number, 1, 5)
            return field
        }
        var file = FileDescriptorProto()
        (file.name, file.syntax, file.messageType) = ("file.proto", "proto3", [message])
        var request = CodeGeneratorRequest()
        (request.fileToGenerate, request.protoFile) = (["file.proto"], [file])
        let bytes = try CompilerPlugin.respond(to: request.serializedBytes())
        let content = try #require(try CodeGeneratorResponse(serialized: bytes).file.first?.content)
        #expect(content.contains("var fooBar: Int32") && content.contains("var fooBar_2: Int32"))
    }

    @Test func `methods that become equal are told apart by underscores`() throws {
        let text = """
            syntax = "proto3";
            message M {}
            service S { rpc Get(M) returns (M); rpc get(M) returns (M); rpc default(M) returns (M); }
            """
        let content = try #require(try ProtocRequest.respond(toText: text).file.first?.content)
        #expect(content.contains("static let get = ") && content.contains("static let get_ = "))
        #expect(content.contains("static let `default` = "))
    }

    @Test func `defaults are named by what does not warn`() throws {
        let text = """
            syntax = "proto2";
            enum E { option allow_alias = true; A = 1 [deprecated = true]; B = 1; C = 2; D = 2 [deprecated = true]; }
            message M { optional E old = 1 [default = A]; optional E b = 2 [default = B]; optional E d = 3 [default = D]; }
            """
        let content = try #require(try ProtocRequest.respond(toText: text).file.first?.content)
        #expect(content.contains("{ old ?? ._a }") && content.contains("{ b ?? ._a }"))
        #expect(content.contains("{ d ?? .c }"))
    }
}
