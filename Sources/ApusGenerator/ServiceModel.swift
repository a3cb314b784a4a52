// SPDX-License-Identifier: Apache-2.0

/// A service as generated code has it.
struct ServiceModel {
    struct Method {
        let name: String
        let protoName: String
        let comment: String
        let request: String
        let response: String
        let streamsRequests: Bool
        let streamsResponses: Bool
        let isDeprecated: Bool
        /// The argument of the method's description; empty when nothing is promised.
        let idempotency: String

        let codec: String

        var requestCodec: String { "\(codec)<\(request)>" }
        var responseCodec: String { "\(codec)<\(response)>" }

        /// The case of `MethodDescriptor.Kind`.
        var kind: String {
            switch (streamsRequests, streamsResponses) {
            case (false, false): "unary"
            case (true, false): "clientStreaming"
            case (false, true): "serverStreaming"
            case (true, true): "bidirectional"
            }
        }
    }

    let name: String
    let fullName: String
    let comment: String
    let methods: [Method]

    init(_ service: ServiceDescriptorProto, path: [Int32], in file: FileModel) {
        fullName = file.fullName(service.name)
        name = SwiftName.type(
            TypeIndex.prefix(of: file.descriptor) + service.name, suffix: "Service", isTopLevel: true)
        let comment = file.comments.comment(path)
        self.comment = comment.isEmpty ? "The service `\(fullName)`." : comment
        var taken: Set<String> = []
        methods = service.method.enumerated().map { index, method in
            var name = SwiftName.method(method.name)
            // Names that differ only in underscores and capitals.
            while !taken.insert(name).inserted { name = name.filter { $0 != "`" } + "_" }
            return Method(
                method, name: name, isServiceDeprecated: service.options?.deprecated ?? false,
                comment: file.comments.comment(path + [2, Int32(index)]), in: file)
        }
    }
}

extension ServiceModel.Method {
    fileprivate init(
        _ method: MethodDescriptorProto, name: String, isServiceDeprecated: Bool, comment: String, in file: FileModel
    ) {
        self.name = name
        protoName = method.name
        self.comment = comment.isEmpty ? "Calls `\(method.name)`." : comment
        request = file.swiftName(method.inputType)
        response = file.swiftName(method.outputType)
        codec = file.options.messages == .apus ? "ProtobufCodec" : "SwiftProtobufCodec"
        streamsRequests = method.clientStreaming ?? false
        streamsResponses = method.serverStreaming ?? false
        isDeprecated = isServiceDeprecated || method.options?.deprecated ?? false
        // By the numbers of MethodOptions.IdempotencyLevel.
        idempotency =
            switch method.options?.idempotencyLevel {
            case 1: ", idempotency: .noSideEffects"
            case 2: ", idempotency: .idempotent"
            default: ""
            }
    }
}
