// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// What protoc asks for.
///
/// The messages that protoc and its plugins exchange, as far as the generator needs them.
/// Source: google/protobuf/compiler/plugin.proto.
struct CodeGeneratorRequest: ProtobufMessage {
    var fileToGenerate: [String] = []
    var parameter: String = ""
    var protoFile: [FileDescriptorProto] = []
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.compiler.CodeGeneratorRequest",
        [
            FieldSchema(1, "file_to_generate", .string, .repeated),
            FieldSchema(2, "parameter", .string),
            FieldSchema(15, "proto_file", .message(FileDescriptorProto.self), .repeated),
        ])

    init() {}

    init(reading fields: FieldReader) {
        fileToGenerate = fields.strings(at: 3)
        parameter = fields.string(at: 5)
        protoFile = fields.messages(at: 7)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.strings(fileToGenerate, at: 3)
        fields.string(parameter, at: 5)
        fields.messages(protoFile, at: 7)
        fields.unknownFields(unknownFields)
    }
}

/// What the plugin answers.
struct CodeGeneratorResponse: ProtobufMessage {
    var error: String?
    var supportedFeatures: UInt64 = 0
    var file: [GeneratedFile] = []
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.compiler.CodeGeneratorResponse",
        [
            FieldSchema(1, "error", .string, .optional),
            FieldSchema(2, "supported_features", .uint64),
            FieldSchema(15, "file", .message(GeneratedFile.self), .repeated),
        ])

    init() {}

    init(reading fields: FieldReader) {
        error = fields.optionalString(at: 3)
        supportedFeatures = fields.scalar(at: 6)
        file = fields.messages(at: 8)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.optionalString(error, at: 3)
        fields.scalar(supportedFeatures, at: 6)
        fields.messages(file, at: 8)
        fields.unknownFields(unknownFields)
    }
}

/// One file to be written.
struct GeneratedFile: ProtobufMessage {
    var name: String = ""
    var content: String = ""
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.compiler.CodeGeneratorResponse.File",
        [
            FieldSchema(1, "name", .string),
            FieldSchema(15, "content", .string),
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        content = fields.string(at: 5)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        fields.string(content, at: 5)
        fields.unknownFields(unknownFields)
    }
}
