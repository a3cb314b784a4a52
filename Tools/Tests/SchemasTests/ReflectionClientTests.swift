// SPDX-License-Identifier: Apache-2.0

import Apus
import ParrotSupport
import Testing

@testable import Schemas

struct ReflectionClientTests {
    private func client(_ services: [any Service]) throws -> (client: ReflectionClient, server: RunningServer) {
        let network = InMemoryNetwork()
        let server = try network.start(Server(services), as: "parrot")
        let channel = Channel(
            "parrot", interceptors: [PinnedEndpoint(Endpoint(.memory("parrot")))], transport: network.transport())
        return (ReflectionClient(channel, options: CallOptions(timeout: .seconds(60))), server)
    }

    private func reflection() throws -> Reflection { try Reflection([ParrotService(), Health()]) }

    @Test(arguments: ["v1", "v1alpha"])
    func `a server with one version of reflection tells its services and types`(version: String) async throws {
        let part = PartOfService(try reflection()) { $0.hasPrefix("grpc.reflection.\(version).") }
        #expect(part.routes.count == 1)
        let (client, server) = try client([ParrotService(), part])
        #expect(try await client.services().contains("apus.tools.v1.Parrot"))
        let schema = try await client.schema(of: "apus.tools.v1.Parrot/Say")
        #expect(try schema.method("apus.tools.v1.Parrot/Say").request.name == "apus.tools.v1.SayRequest")
        await server.stop()
    }

    @Test func `a server without reflection is UNIMPLEMENTED, and the error names reflection`() async throws {
        let (client, server) = try client([ParrotService()])
        let error = await #expect(throws: RPCError.self) { try await client.services() }
        #expect(error?.code == .unimplemented)
        await server.stop()
    }

    @Test func `a symbol that there is not is NOT_FOUND`() async throws {
        let (client, server) = try client([try reflection()])
        let error = await #expect(throws: RPCError.self) { try await client.schema(of: "a.Nobody") }
        #expect(error?.code == .notFound)
        await server.stop()
    }

    @Test func `imports that a server left out are asked for, each once`() throws {
        var files = FileCollection()
        func file(_ name: String, _ imports: [String]) throws -> [UInt8] {
            try ProtobufFileDescriptorProto(name: name, dependency: imports).serializedBytes()
        }
        try files.add([file("a", ["b", "c"])])
        #expect(files.nextMissing == "c")
        try files.add([file("c", ["b"])])
        files.asked(for: "c")
        #expect(files.nextMissing == "b")
        try files.add([file("b", []), file("b", [])])
        files.asked(for: "b")
        #expect(files.nextMissing == nil)
        #expect(files.descriptors.file.compactMap(\.name) == ["a", "c", "b"])
    }

    @Test func `a file that the server does not send is not asked for again`() throws {
        var files = FileCollection()
        try files.add([ProtobufFileDescriptorProto(name: "a", dependency: ["b"]).serializedBytes()])
        files.asked(for: "b")
        #expect(files.nextMissing == nil)
    }
}
