// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusGenerator

struct OptionsTests {
    private let service = """
        syntax = "proto3";
        package a.b;
        message M {}
        service S { rpc Do(M) returns (M); }
        """

    private func content(_ options: String) throws -> String {
        try #require(try ProtocRequest.respond(toText: service, options: options).file.first?.content)
    }

    @Test func `without options the code is internal, imports Apus and has both sides`() throws {
        let content = try content("")
        #expect(content.contains("\nimport Apus\n"))
        #expect(content.contains("\nstruct M: ProtobufMessage {"))
        #expect(content.contains("struct Client") && content.contains("protocol Handler"))
    }

    @Test(arguments: ["public", "package"])
    func `visibility goes before every declaration and import`(visibility: String) throws {
        let content = try content("visibility=\(visibility)")
        #expect(content.contains("\n\(visibility) import Apus\n"))
        for line in content.split(separator: "\n").map({ $0.drop { $0 == " " } }) {
            for word in ["struct ", "enum ", "init(", "static ", "import ", "protocol ", "let "] {
                #expect(!line.hasPrefix(word), "\(line)")
            }
        }
    }

    @Test func `client or server may be left out`() throws {
        let client = try content("server=false")
        #expect(client.contains("struct Client") && client.contains("struct BlockingClient"))
        #expect(!client.contains("Handler") && !client.contains("routes"))
        let server = try content("client=false")
        #expect(!server.contains("Client"))
        #expect(server.contains("protocol Handler: Service") && server.contains("var routes: [Route]"))
        let neither = try content("client=false,server=false,import=ApusCore+ApusProtobuf")
        #expect(!neither.contains("enum S") && !neither.contains("import ApusCore"))
        #expect(neither.contains("import ApusProtobuf"))
    }

    @Test func `stubs may carry messages that swift-protobuf generated`() throws {
        let text = """
            syntax = "proto3";
            package shop_front.v1;
            import "google/protobuf/empty.proto";
            message Order { message item {} }
            service Orders { rpc Place(Order.item) returns (google.protobuf.Empty); }
            """
        let content = try #require(
            try ProtocRequest.respond(toText: text, options: "messages=swift-protobuf").file.first)
        #expect(content.content.contains("import ApusSwiftProtobuf\nimport SwiftProtobuf\n"))
        let (item, empty) = ("ShopFront_V1_Order.Item", "Google_Protobuf_Empty")
        #expect(content.content.contains("Method<SwiftProtobufCodec<\(item)>, SwiftProtobufCodec<\(empty)>>("))
        #expect(
            content.content.contains("_ request: \(item), call: ServerCall") && content.content.contains("-> \(empty)"))
        #expect(!content.content.contains("ProtobufMessage"))
    }

    @Test(arguments: [
        ("path", "bench/echo.apus.swift"), ("underscores", "bench_echo.apus.swift"), ("base", "echo.apus.swift"),
    ])
    func `files are named as told`(naming: String, name: String) throws {
        let response = try ProtocRequest.respond(["bench/echo.proto"], options: "file_naming=\(naming)")
        #expect(response.file.map(\.name) == [name])
    }

    @Test(arguments: [
        (
            "visible=public",
            "unknown option 'visible': there are visibility, client, server, file_naming, import, messages and M<path>"
        ),
        ("visibility=open", "option visibility cannot be 'open': it is one of public, internal, package"),
        ("client=yes", "option client cannot be 'yes': it is true or false"),
        ("server", "option server cannot be '': it is true or false"),
        ("file_naming=short", "option file_naming cannot be 'short': it is one of path, underscores, base"),
        ("import=a;b", "option import cannot be 'a;b': it is module names joined by +, or none"),
        ("import=", "option import cannot be '': it is module names joined by +, or none"),
    ])
    func `an option that cannot be is one line`(options: String, error: String) throws {
        let response = try ProtocRequest.respond(toText: service, options: options)
        #expect(response.error == error)
        #expect(response.file.isEmpty)
    }
}
