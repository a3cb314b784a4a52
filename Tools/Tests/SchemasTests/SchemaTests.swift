// SPDX-License-Identifier: Apache-2.0

import Apus
import ParrotSupport
import Schemas
import Testing

struct SchemaTests {
    @Test func `services, methods, messages and enums are found by their names`() throws {
        let schema = try Fixtures.parrot()
        #expect(schema.services == ["apus.tools.v1.Parrot"])
        for name in [
            "apus.tools.v1.Parrot", ".apus.tools.v1.Parrot.Say", "/apus.tools.v1.Parrot/Say",
            "apus.tools.v1.SayReply.Place",
            "apus.tools.v1.Volume",
        ] {
            #expect(schema[name]?.file == "apus/tool_tests.proto", "\(name)")
        }
        #expect(schema["apus.tools.v1.Nobody"] == nil)
        #expect(schema[""] == nil)
    }

    @Test(arguments: [
        ("Say", MethodDescriptor.Kind.unary), ("Repeat", .serverStreaming), ("Join", .clientStreaming),
        ("Chat", .bidirectional),
    ])
    func `a method tells its kind and its types`(name: String, kind: MethodDescriptor.Kind) throws {
        let method = try Fixtures.parrot().method("apus.tools.v1.Parrot/\(name)")
        #expect(method.descriptor.path == "/apus.tools.v1.Parrot/\(name)")
        #expect(method.descriptor.kind == kind)
        #expect(method.request.name == "apus.tools.v1.SayRequest")
        #expect(method.response.name == "apus.tools.v1.SayReply")
    }

    @Test func `what the proto file promises about repeating a call is kept`() throws {
        let schema = try Fixtures.parrot()
        #expect(try schema.method("apus.tools.v1.Parrot/Say").descriptor.idempotency == .noSideEffects)
        #expect(try schema.method("apus.tools.v1.Parrot/Chat").descriptor.idempotency == .unknown)
    }

    @Test func `a wrong method is told with those that are there`() throws {
        let schema = try Fixtures.parrot()
        let wrongMethod = #expect(throws: RPCError.self) { try schema.method("apus.tools.v1.Parrot/Sing") }
        #expect(wrongMethod?.message == "apus.tools.v1.Parrot has no such method; it has: Say, Repeat, Join, Chat")
        let wrongService = #expect(throws: RPCError.self) { try schema.method("Owl/Say") }
        #expect(wrongService?.message.hasSuffix("the services are: apus.tools.v1.Parrot") == true)
        #expect(throws: RPCError.self) { try schema.method("apus.tools.v1.SayReply") }
    }

    @Test func `the reach of a service is all that it uses, once, without what is told inside of it`() throws {
        let schema = try Fixtures.parrot()
        let place = try #require(schema["apus.tools.v1.Parrot"])
        let names = schema.reach(of: place).map { $0.name.replacing("apus.tools.v1.", with: "") }
        #expect(names == ["Parrot", "SayRequest", "SayReply", "Volume"])
    }
}
