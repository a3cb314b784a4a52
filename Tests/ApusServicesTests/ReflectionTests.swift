// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

@testable import ApusServices

@Suite(.timeLimit(.minutes(10))) struct ReflectionTests {
    /// The answers of a server with the health service.
    private func ask(
        _ questions: ServerReflectionRequest.MessageRequest?...
    ) async throws -> [ServerReflectionResponse.MessageResponse?] {
        let health = Health()
        var answers: [ServerReflectionResponse.MessageResponse?] = []
        try await ServedPair.run([health, Reflection([health, Plain()])]) { (pair) async throws in
            let method = Method<ProtobufCodec<ServerReflectionRequest>, ProtobufCodec<ServerReflectionResponse>>(
                service: "grpc.reflection.v1.ServerReflection", name: "ServerReflectionInfo", kind: .bidirectional)
            let call = pair.channel.bidirectional(method)
            for question in questions {
                let request = ServerReflectionRequest(host: "here", messageRequest: question)
                try await call.requests.write(request)
                let answer = try #require(try await call.responses().next())
                #expect(answer.validHost == "here")
                #expect(answer.originalRequest == request)
                answers.append(answer.messageResponse)
            }
            call.cancel()
        }
        return answers
    }

    private func files(_ answer: ServerReflectionResponse.MessageResponse?) throws -> [String] {
        guard case .fileDescriptorResponse(let response) = answer else { return [] }
        return try response.fileDescriptorProto.map { try FileSymbols(serialized: $0).name }
    }

    private func errorCode(_ answer: ServerReflectionResponse.MessageResponse?) -> Int32? {
        guard case .errorResponse(let error) = answer else { return nil }
        #expect(!error.errorMessage.isEmpty)
        return error.errorCode
    }

    @Test func `all services are listed, those without a descriptor too`() async throws {
        let names = [
            "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
            "test.Plain",
        ]
        let expected = ListServiceResponse(service: names.map { ServiceResponse(name: $0) })
        #expect(try await ask(.listServices("")) == [.listServicesResponse(expected)])
    }

    @Test func `a file is found by its name`() async throws {
        let answers = try await ask(.fileByFilename("grpc/health/v1/health.proto"))
        #expect(try files(answers[0]) == ["grpc/health/v1/health.proto"])
    }

    @Test(arguments: [
        "grpc.health.v1.Health", "grpc.health.v1.Health.Watch", "grpc.health.v1.HealthCheckRequest",
        "grpc.health.v1.HealthCheckRequest.service", "grpc.health.v1.HealthCheckResponse.ServingStatus",
        "grpc.health.v1.HealthCheckResponse.SERVING", "grpc.health.v1.HealthListResponse.StatusesEntry",
    ])
    func `a file is found by what it declares`(_ symbol: String) async throws {
        #expect(try files(await ask(.fileContainingSymbol(symbol))[0]) == ["grpc/health/v1/health.proto"])
    }

    @Test func `what is not there is NOT_FOUND, and the call goes on`() async throws {
        let answers = try await ask(
            .fileByFilename("nothing.proto"), .fileContainingSymbol("no.Body"), .fileContainingSymbol("test.Plain"),
            .fileContainingExtension(ExtensionRequest(containingType: "no.Body", extensionNumber: 7)),
            .allExtensionNumbersOfType("no.Body"), .fileByFilename("grpc/health/v1/health.proto"))
        #expect(answers.dropLast().map(errorCode) == [5, 5, 5, 5, 5])
        #expect(try files(answers.last ?? nil).count == 1)
    }

    @Test func `a question that nobody knows is INVALID_ARGUMENT`() async throws {
        #expect(try await ask(nil).map(errorCode) == [3])
    }

    @Test func `a message without extensions has none`() async throws {
        let type = "grpc.health.v1.HealthCheckRequest"
        #expect(
            try await ask(.allExtensionNumbersOfType(type))
                == [.allExtensionNumbersResponse(ExtensionNumberResponse(baseTypeName: type))])
    }

    @Test func `version v1alpha answers alike`() async throws {
        let health = Health()
        try await ServedPair.run([health, Reflection([health])]) { (pair) async throws in
            let method = Method<
                ProtobufCodec<AlphaServerReflectionRequest>, ProtobufCodec<AlphaServerReflectionResponse>
            >(service: "grpc.reflection.v1alpha.ServerReflection", name: "ServerReflectionInfo", kind: .bidirectional)
            let call = pair.channel.bidirectional(method)
            let question = AlphaServerReflectionRequest(
                messageRequest: .fileContainingSymbol("grpc.reflection.v1alpha.ServerReflection"))
            try await call.requests.write(question)
            call.requests.finish()
            let answers = try await call.responses()
            let answer = try #require(try await answers.next())
            #expect(answer.originalRequest == question)
            guard case .fileDescriptorResponse(let response) = answer.messageResponse else {
                Issue.record("\(answer)")
                return
            }
            let names = try response.fileDescriptorProto.map { try FileSymbols(serialized: $0).name }
            #expect(names == ["grpc/reflection/v1alpha/reflection.proto"])
            #expect(try await answers.next() == nil)
        }
    }

    @Test func `a file comes with all that it imports, and extensions are found`() throws {
        let a = FileSymbols(name: "a.proto", package: "a", dependency: ["b.proto"])
        let b = FileSymbols(name: "b.proto", dependency: ["c.proto"], messageType: [MessageSymbols(name: "B")])
        let c = FileSymbols(
            name: "c.proto", package: "c", enumType: [GroupSymbols(name: "E", member: [MemberSymbol(name: "ZERO")])],
            extension: [FieldSymbol(name: "x", extendee: ".B", number: 100)])
        var index = DescriptorIndex()
        try index.add(descriptor(a, b, c))
        try index.add(descriptor(c))
        #expect(try index.files(from: "a.proto") == [a, b, c].map { try $0.serializedBytes() })
        #expect(index.file(declaring: "B") == "b.proto")
        #expect(index.file(declaring: "c.ZERO") == "c.proto")
        #expect(index.file(declaring: "c.x") == "c.proto")
        #expect(index.file(extending: "B", number: 100) == "c.proto")
        #expect(index.file(extending: "B", number: 101) == nil)
        #expect(index.extensionNumbers(of: "B") == [100])
        #expect(index.files(from: "d.proto") == nil)
    }

    @Test func `two different files of one name are refused`() throws {
        let error = #expect(throws: RPCError.self) {
            var index = DescriptorIndex()
            try index.add(descriptor(FileSymbols(name: "a.proto", package: "a")))
            try index.add(descriptor(FileSymbols(name: "a.proto", package: "b")))
        }
        #expect(error?.status == Status(.failedPrecondition, "two different .proto files have the name a.proto"))
    }

    @Test(arguments: ["?", "/w", "CgP///8"])
    func `a descriptor that is none is refused`(_ text: String) throws {
        let error = #expect(throws: RPCError.self) {
            var index = DescriptorIndex()
            try index.add(ServiceDescriptor(service: "a.Service", fileDescriptorSet: text))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("a.Service") == true)
    }

    private func descriptor(_ files: FileSymbols...) throws -> ServiceDescriptor {
        let set = SerializedFiles(file: try files.map { try $0.serializedBytes() })
        return ServiceDescriptor(
            service: "test.Service",
            fileDescriptorSet: String(decoding: Base64.encode(try set.serializedBytes()), as: UTF8.self))
    }
}

/// A service without a descriptor.
private struct Plain: Service {
    var routes: [Route] {
        [
            .unary(Method<BytesCodec, BytesCodec>(service: "test.Plain", name: "Echo", kind: .unary)) { bytes, _ in
                bytes
            }
        ]
    }
}
