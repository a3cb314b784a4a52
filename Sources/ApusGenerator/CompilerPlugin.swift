// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// A plugin of protoc: a request comes in on standard input, a response goes out on standard output.
/// Source: google/protobuf/compiler/plugin.proto.
package enum CompilerPlugin {
    // FEATURE_PROTO3_OPTIONAL and FEATURE_SUPPORTS_EDITIONS.
    private static let supportedFeatures: UInt64 = 1 | 2

    /// The serialized response to a serialized request. What the user did wrong is in the response.
    ///
    /// - Throws: an `RPCError` for a request that protoc cannot have written.
    package static func respond(to request: [UInt8]) throws -> [UInt8] {
        let request = try CodeGeneratorRequest(serialized: request)
        var response = CodeGeneratorResponse()
        response.supportedFeatures = supportedFeatures
        response.minimumEdition = ProtobufEdition.proto2.rawValue
        response.maximumEdition = ProtobufEdition.edition2023.rawValue
        do {
            response.file = try generate(request)
        } catch let error as GeneratorError {
            response.error = error.description
        }
        return try response.serializedBytes()
    }

    private static func generate(_ request: CodeGeneratorRequest) throws -> [GeneratedFile] {
        let options = try GeneratorOptions(request.parameter)
        let index = TypeIndex(request.protoFile, modules: options.modules(besides: request.fileToGenerate))
        let embedded = EmbeddedDescriptors(request.protoFile)
        var files: [GeneratedFile] = []
        var models: [FileModel] = []
        for name in request.fileToGenerate {
            guard let descriptor = request.protoFile.first(where: { $0.name == name }) else {
                throw GeneratorError("\(name): protoc did not describe this file")
            }
            let model = FileModel(descriptor, index, options, embedded)
            try Refusal.check(model)
            models.append(model)
            let file = try FileGenerator(model).generate()
            guard !files.contains(where: { $0.name == file.name }) else {
                throw GeneratorError("two files would be written to \(file.name): use option file_naming=path")
            }
            files.append(file)
        }
        try Refusal.checkNames(models)
        return files
    }
}
