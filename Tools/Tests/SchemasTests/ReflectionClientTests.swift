// SPDX-License-Identifier: Apache-2.0

import Apus
import ParrotSupport
import Synchronization
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

    @Test func `a server whose files import ever more files is left`() async throws {
        let network = InMemoryNetwork()
        let endless = EndlessReflection()
        let server = try network.start(Server([endless]), as: "endless")
        let channel = Channel(
            "endless", interceptors: [PinnedEndpoint(Endpoint(.memory("endless")))], transport: network.transport())
        let options = CallOptions(timeout: .seconds(60))
        let curious = ReflectionClient(channel, options, ReflectionAllowance(questions: 20))
        let error = await #expect(throws: RPCError.self) { try await curious.schema(of: "a.B") }
        #expect(error?.code == .resourceExhausted)
        #expect(endless.questions.load(ordering: .relaxed) == 20)
        let small = ReflectionClient(channel, options, ReflectionAllowance(bytes: 100))
        #expect(await #expect(throws: RPCError.self) { try await small.schema(of: "a.B") }?.code == .resourceExhausted)
        await server.stop()
    }

    @Test func `a file that imports more than anybody has is refused`() throws {
        var files = FileCollection()
        let greedy = ProtobufFileDescriptorProto(name: "a", dependency: (0...10_000).map { "f\($0)" })
        let error = #expect(throws: RPCError.self) { try files.add([greedy.serializedBytes()]) }
        #expect(error?.code == .resourceExhausted)
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

/// Each of its files imports another one.
private final class EndlessReflection: ServerReflection.Handler {
    let questions = Atomic<Int>(0)

    func serverReflectionInfo(
        _ requests: RequestStream<ProtobufCodec<ServerReflectionRequest>>,
        to writer: ResponseWriter<ProtobufCodec<ServerReflectionResponse>>, call: ServerCall
    ) async throws {
        for try await _ in requests {
            let number = questions.add(1, ordering: .relaxed).newValue
            let file = ProtobufFileDescriptorProto(name: "f\(number)", dependency: ["f\(number + 1)"])
            let answer = FileDescriptorResponse(fileDescriptorProto: [try file.serializedBytes()])
            try await writer.write(ServerReflectionResponse(messageResponse: .fileDescriptorResponse(answer)))
        }
    }
}
