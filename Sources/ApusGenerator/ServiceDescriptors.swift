// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// An enum.
///
/// Descriptors of enums, services and source places, as far as the generator needs them.
/// Source: google/protobuf/descriptor.proto.
struct EnumDescriptorProto: ProtobufMessage {
    var name: String = ""
    var value: [EnumValueDescriptorProto] = []
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.EnumDescriptorProto",
        [
            FieldSchema(1, "name", .string),
            FieldSchema(2, "value", .message(EnumValueDescriptorProto.self), .repeated),
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        value = fields.messages(at: 5)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        fields.messages(value, at: 5)
        fields.unknownFields(unknownFields)
    }
}

/// A value of an enum.
struct EnumValueDescriptorProto: ProtobufMessage {
    var name: String = ""
    var number: Int32 = 0
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.EnumValueDescriptorProto",
        [
            FieldSchema(1, "name", .string),
            FieldSchema(2, "number", .int32, .optional),
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        number = fields.optionalScalar(at: 5) ?? 0
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        // Also when it is 0: readers of embedded descriptors insist on it.
        fields.optionalScalar(number, at: 5)
        fields.unknownFields(unknownFields)
    }
}

/// A service.
struct ServiceDescriptorProto: ProtobufMessage {
    var name: String = ""
    var method: [MethodDescriptorProto] = []
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.ServiceDescriptorProto",
        [
            FieldSchema(1, "name", .string),
            FieldSchema(2, "method", .message(MethodDescriptorProto.self), .repeated),
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        method = fields.messages(at: 5)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        fields.messages(method, at: 5)
        fields.unknownFields(unknownFields)
    }
}

/// A method of a service.
struct MethodDescriptorProto: ProtobufMessage {
    var name: String = ""
    var inputType: String = ""
    var outputType: String = ""
    var options: MethodOptions?
    var clientStreaming: Bool = false
    var serverStreaming: Bool = false
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.MethodDescriptorProto",
        [
            FieldSchema(1, "name", .string),
            FieldSchema(2, "input_type", .string),
            FieldSchema(3, "output_type", .string),
            FieldSchema(4, "options", .message(MethodOptions.self), .optional),
            FieldSchema(5, "client_streaming", .bool),
            FieldSchema(6, "server_streaming", .bool),
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        inputType = fields.string(at: 5)
        outputType = fields.string(at: 7)
        options = fields.message(at: 9)
        clientStreaming = fields.scalar(at: 10)
        serverStreaming = fields.scalar(at: 11)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        fields.string(inputType, at: 5)
        fields.string(outputType, at: 7)
        fields.message(options, at: 9)
        fields.scalar(clientStreaming, at: 10)
        fields.scalar(serverStreaming, at: 11)
        fields.unknownFields(unknownFields)
    }
}

/// Options of a method.
struct MethodOptions: ProtobufMessage {
    var idempotencyLevel: Int32 = 0
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.MethodOptions",
        [
            FieldSchema(34, "idempotency_level", .int32)
        ])

    init() {}

    init(reading fields: FieldReader) {
        idempotencyLevel = fields.scalar(at: 3)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.scalar(idempotencyLevel, at: 3)
        fields.unknownFields(unknownFields)
    }
}

/// Where things stand in the file, and the comments beside them.
struct SourceCodeInfo: ProtobufMessage {
    var location: [SourceLocation] = []
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.SourceCodeInfo",
        [
            FieldSchema(1, "location", .message(SourceLocation.self), .repeated)
        ])

    init() {}

    init(reading fields: FieldReader) {
        location = fields.messages(at: 3)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.messages(location, at: 3)
        fields.unknownFields(unknownFields)
    }
}

/// One place. `span` is line, column and end, from 0.
struct SourceLocation: ProtobufMessage {
    var path: [Int32] = []
    var span: [Int32] = []
    var leadingComments: String = ""
    var trailingComments: String = ""
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.SourceCodeInfo.Location",
        [
            FieldSchema(1, "path", .int32, .packed),
            FieldSchema(2, "span", .int32, .packed),
            FieldSchema(3, "leading_comments", .string),
            FieldSchema(4, "trailing_comments", .string),
        ])

    init() {}

    init(reading fields: FieldReader) {
        path = fields.scalars(at: 3)
        span = fields.scalars(at: 5)
        leadingComments = fields.string(at: 7)
        trailingComments = fields.string(at: 9)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.scalars(path, at: 3)
        fields.scalars(span, at: 5)
        fields.string(leadingComments, at: 7)
        fields.string(trailingComments, at: 9)
        fields.unknownFields(unknownFields)
    }
}
