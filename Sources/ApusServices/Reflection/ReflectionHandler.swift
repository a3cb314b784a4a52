// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf

/// The method of reflection v1 over an index.
struct ReflectionHandler: ServerReflection.Handler {
    var index = DescriptorIndex()

    func serverReflectionInfo(
        _ requests: RequestStream<ProtobufCodec<ServerReflectionRequest>>,
        to writer: ResponseWriter<ProtobufCodec<ServerReflectionResponse>>, call: ServerCall
    ) async throws {
        for try await request in requests { try await writer.write(index.answer(request)) }
    }
}

/// The method of reflection v1alpha: the same messages under other names.
struct AlphaReflectionHandler: AlphaServerReflection.Handler {
    var index = DescriptorIndex()

    func serverReflectionInfo(
        _ requests: RequestStream<ProtobufCodec<AlphaServerReflectionRequest>>,
        to writer: ResponseWriter<ProtobufCodec<AlphaServerReflectionResponse>>, call: ServerCall
    ) async throws {
        for try await request in requests {
            let answer = index.answer(try ServerReflectionRequest(serialized: request.serialized()))
            try await writer.write(AlphaServerReflectionResponse(serialized: answer.serialized()))
        }
    }
}

extension DescriptorIndex {
    /// The answer to one question. What is not known is told in the answer: the call goes on.
    func answer(_ request: ServerReflectionRequest) -> ServerReflectionResponse {
        ServerReflectionResponse(
            validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest))
    }

    private func answer(
        _ question: ServerReflectionRequest.MessageRequest?
    ) -> ServerReflectionResponse.MessageResponse {
        switch question {
        case .fileByFilename(let name): answer(file: name, to: "file \(name)")
        case .fileContainingSymbol(let symbol): answer(file: file(declaring: symbol), to: "symbol \(symbol)")
        case .fileContainingExtension(let question):
            answer(
                file: file(extending: question.containingType, number: question.extensionNumber),
                to: "extension \(question.extensionNumber) of \(question.containingType)")
        case .allExtensionNumbersOfType(let type): answer(extensionsOf: type)
        case .listServices:
            .listServicesResponse(ListServiceResponse(service: services.sorted().map { ServiceResponse(name: $0) }))
        case nil: Self.error(.invalidArgument, "the request asks nothing that is known here")
        }
    }

    private func answer(file name: String?, to question: String) -> ServerReflectionResponse.MessageResponse {
        guard let name, let files = files(from: name) else { return Self.error(.notFound, "no \(question) here") }
        return .fileDescriptorResponse(FileDescriptorResponse(fileDescriptorProto: files))
    }

    private func answer(extensionsOf type: String) -> ServerReflectionResponse.MessageResponse {
        guard file(declaring: type) != nil else { return Self.error(.notFound, "no message \(type) here") }
        return .allExtensionNumbersResponse(
            ExtensionNumberResponse(baseTypeName: type, extensionNumber: extensionNumbers(of: type)))
    }

    private static func error(_ code: Status.Code, _ message: String) -> ServerReflectionResponse.MessageResponse {
        .errorResponse(ErrorResponse(errorCode: Int32(code.rawValue), errorMessage: message))
    }
}
