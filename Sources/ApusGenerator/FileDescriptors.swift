// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// One .proto file.
///
/// Descriptors of a .proto file and its messages, as far as the generator needs them.
/// Source: google/protobuf/descriptor.proto.
struct FileDescriptorProto: ProtobufMessage {
    var name: String = ""
    var `package`: String = ""
    var dependency: [String] = []
    var messageType: [DescriptorProto] = []
    var enumType: [EnumDescriptorProto] = []
    var service: [ServiceDescriptorProto] = []
    var `extension`: [FieldDescriptorProto] = []
    var options: FileOptions?
    var sourceCodeInfo: SourceCodeInfo?
    var syntax: String = ""
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.FileDescriptorProto",
        [
            FieldSchema(1, "name", .string),
            FieldSchema(2, "package", .string),
            FieldSchema(3, "dependency", .string, .repeated),
            FieldSchema(4, "message_type", .message(DescriptorProto.self), .repeated),
            FieldSchema(5, "enum_type", .message(EnumDescriptorProto.self), .repeated),
            FieldSchema(6, "service", .message(ServiceDescriptorProto.self), .repeated),
            FieldSchema(7, "extension", .message(FieldDescriptorProto.self), .repeated),
            FieldSchema(8, "options", .message(FileOptions.self), .optional),
            FieldSchema(9, "source_code_info", .message(SourceCodeInfo.self), .optional),
            FieldSchema(12, "syntax", .string),
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        `package` = fields.string(at: 5)
        dependency = fields.strings(at: 7)
        messageType = fields.messages(at: 9)
        enumType = fields.messages(at: 11)
        service = fields.messages(at: 13)
        `extension` = fields.messages(at: 15)
        options = fields.message(at: 17)
        sourceCodeInfo = fields.message(at: 18)
        syntax = fields.string(at: 19)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        fields.string(`package`, at: 5)
        fields.strings(dependency, at: 7)
        fields.messages(messageType, at: 9)
        fields.messages(enumType, at: 11)
        fields.messages(service, at: 13)
        fields.messages(`extension`, at: 15)
        fields.message(options, at: 17)
        fields.message(sourceCodeInfo, at: 18)
        fields.string(syntax, at: 19)
        fields.unknownFields(unknownFields)
    }
}

/// Options of a file.
struct FileOptions: ProtobufMessage {
    var swiftPrefix: String = ""
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.FileOptions",
        [
            FieldSchema(39, "swift_prefix", .string)
        ])

    init() {}

    init(reading fields: FieldReader) {
        swiftPrefix = fields.string(at: 3)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(swiftPrefix, at: 3)
        fields.unknownFields(unknownFields)
    }
}

/// A message type.
struct DescriptorProto: ProtobufMessage {
    var name: String = ""
    var field: [FieldDescriptorProto] = []
    var nestedType: [DescriptorProto] = []
    var enumType: [EnumDescriptorProto] = []
    var `extension`: [FieldDescriptorProto] = []
    var options: MessageOptions?
    var oneofDecl: [OneofDescriptorProto] = []
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.DescriptorProto",
        [
            FieldSchema(1, "name", .string),
            FieldSchema(2, "field", .message(FieldDescriptorProto.self), .repeated),
            FieldSchema(3, "nested_type", .message(DescriptorProto.self), .repeated),
            FieldSchema(4, "enum_type", .message(EnumDescriptorProto.self), .repeated),
            FieldSchema(6, "extension", .message(FieldDescriptorProto.self), .repeated),
            FieldSchema(7, "options", .message(MessageOptions.self), .optional),
            FieldSchema(8, "oneof_decl", .message(OneofDescriptorProto.self), .repeated),
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        field = fields.messages(at: 5)
        nestedType = fields.messages(at: 7)
        enumType = fields.messages(at: 9)
        `extension` = fields.messages(at: 11)
        options = fields.message(at: 13)
        oneofDecl = fields.messages(at: 14)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        fields.messages(field, at: 5)
        fields.messages(nestedType, at: 7)
        fields.messages(enumType, at: 9)
        fields.messages(`extension`, at: 11)
        fields.message(options, at: 13)
        fields.messages(oneofDecl, at: 14)
        fields.unknownFields(unknownFields)
    }
}

/// Options of a message type.
struct MessageOptions: ProtobufMessage {
    var mapEntry: Bool = false
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.MessageOptions",
        [
            FieldSchema(7, "map_entry", .bool)
        ])

    init() {}

    init(reading fields: FieldReader) {
        mapEntry = fields.scalar(at: 3)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.scalar(mapEntry, at: 3)
        fields.unknownFields(unknownFields)
    }
}

/// A field of a message type.
struct FieldDescriptorProto: ProtobufMessage {
    var name: String = ""
    var number: Int32 = 0
    var label: Int32 = 0
    var type: Int32 = 0
    var typeName: String = ""
    var options: FieldOptions?
    var oneofIndex: Int32?
    var proto3Optional: Bool = false
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.FieldDescriptorProto",
        [
            FieldSchema(1, "name", .string),
            FieldSchema(3, "number", .int32),
            FieldSchema(4, "label", .int32),
            FieldSchema(5, "type", .int32),
            FieldSchema(6, "type_name", .string),
            FieldSchema(8, "options", .message(FieldOptions.self), .optional),
            FieldSchema(9, "oneof_index", .int32, .optional),
            FieldSchema(17, "proto3_optional", .bool),
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        number = fields.scalar(at: 5)
        label = fields.scalar(at: 6)
        type = fields.scalar(at: 7)
        typeName = fields.string(at: 8)
        options = fields.message(at: 10)
        oneofIndex = fields.optionalScalar(at: 11)
        proto3Optional = fields.scalar(at: 12)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        fields.scalar(number, at: 5)
        fields.scalar(label, at: 6)
        fields.scalar(type, at: 7)
        fields.string(typeName, at: 8)
        fields.message(options, at: 10)
        fields.optionalScalar(oneofIndex, at: 11)
        fields.scalar(proto3Optional, at: 12)
        fields.unknownFields(unknownFields)
    }
}

/// Options of a field.
struct FieldOptions: ProtobufMessage {
    var packed: Bool?
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.FieldOptions",
        [
            FieldSchema(2, "packed", .bool, .optional)
        ])

    init() {}

    init(reading fields: FieldReader) {
        packed = fields.optionalScalar(at: 3)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.optionalScalar(packed, at: 3)
        fields.unknownFields(unknownFields)
    }
}

/// A group of fields of which at most one is set.
struct OneofDescriptorProto: ProtobufMessage {
    var name: String = ""
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.OneofDescriptorProto",
        [
            FieldSchema(1, "name", .string)
        ])

    init() {}

    init(reading fields: FieldReader) {
        name = fields.string(at: 3)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.string(name, at: 3)
        fields.unknownFields(unknownFields)
    }
}

/// Files with those that they import.
struct FileDescriptorSet: ProtobufMessage {
    var file: [FileDescriptorProto] = []
    var unknownFields = UnknownFields()

    static let schema = MessageSchema(
        "google.protobuf.FileDescriptorSet", [FieldSchema(1, "file", .message(FileDescriptorProto.self), .repeated)])

    init() {}

    init(reading fields: FieldReader) {
        file = fields.messages(at: 3)
        unknownFields = fields.unknownFields()
    }

    func write(to fields: FieldWriter) {
        fields.messages(file, at: 3)
        fields.unknownFields(unknownFields)
    }
}
