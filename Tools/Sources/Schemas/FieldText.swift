// SPDX-License-Identifier: Apache-2.0

import Apus

/// Writes the fields of one message.
struct FieldText {
    let message: ProtobufDescriptorProto
    /// The message's full name.
    let name: String
    let isProto3: Bool

    /// The number of the oneof that a field is in; nil for none, and for the one that stands behind `optional`.
    func oneof(of field: ProtobufFieldDescriptorProto) -> Int32? {
        field.proto3Optional == true ? nil : field.oneofIndex
    }

    /// `repeated string tags = 4 [deprecated = true];`
    func declaration(_ field: ProtobufFieldDescriptorProto) -> String {
        var words = [type(field), field.name ?? "", "="]
        if let label = label(field) { words.insert(label, at: 0) }
        return (words + ["\(field.number ?? 0)\(options(field));"]).joined(separator: " ")
    }

    private func label(_ field: ProtobufFieldDescriptorProto) -> String? {
        if entry(of: field) != nil || oneof(of: field) != nil { return nil }
        switch field.label {
        case .repeated: return "repeated"
        case .required: return "required"
        default: return field.proto3Optional == true || !isProto3 ? "optional" : nil
        }
    }

    // A map is a repeated message that protoc made up.
    private func entry(of field: ProtobufFieldDescriptorProto) -> ProtobufDescriptorProto? {
        guard field.type == .message, field.label == .repeated else { return nil }
        return message.nestedType.first {
            $0.options?.mapEntry == true && field.typeName == ".\(name).\($0.name ?? "")"
        }
    }

    private func type(_ field: ProtobufFieldDescriptorProto) -> String {
        guard let entry = entry(of: field), entry.field.count == 2 else { return plainType(field) }
        return "map<\(plainType(entry.field[0])), \(plainType(entry.field[1]))>"
    }

    private func plainType(_ field: ProtobufFieldDescriptorProto) -> String {
        if let name = field.typeName { return String(name.drop { $0 == "." }) }
        switch field.type {
        case .double: return "double"
        case .float: return "float"
        case .int64: return "int64"
        case .uint64: return "uint64"
        case .int32: return "int32"
        case .fixed64: return "fixed64"
        case .fixed32: return "fixed32"
        case .bool: return "bool"
        case .string: return "string"
        case .bytes: return "bytes"
        case .uint32: return "uint32"
        case .sfixed32: return "sfixed32"
        case .sfixed64: return "sfixed64"
        case .sint32: return "sint32"
        case .sint64: return "sint64"
        default: return "?"
        }
    }

    private func options(_ field: ProtobufFieldDescriptorProto) -> String {
        var options: [String] = []
        if let value = field.defaultValue {
            options.append("default = \(field.type == .string ? "\"\(value)\"" : value)")
        }
        if let packed = field.options?.packed { options.append("packed = \(packed)") }
        if field.options?.deprecated == true { options.append("deprecated = true") }
        return options.isEmpty ? "" : " [\(options.joined(separator: ", "))]"
    }
}
