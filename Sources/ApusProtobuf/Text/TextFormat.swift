// SPDX-License-Identifier: Apache-2.0

/// Writes protobuf's text format. Source: protobuf *Text Format Language Specification*.
struct TextFormat {
    private let types: TypeRegistry
    private let isSingleLine: Bool
    private(set) var text = ""
    private var level = 0

    init(_ types: TypeRegistry = TypeRegistry(), isSingleLine: Bool = false) {
        self.types = types
        self.isSingleLine = isSingleLine
    }

    mutating func write(_ message: DynamicMessage) {
        if writeAny(message) { return }
        for field in message.schema.fields {
            guard let value = message[field.number] else { continue }
            write(value, field, name: Self.name(field, of: message.schema))
        }
        var unknown = message.unknownFields
        for field in types.extensions(of: message.schema) {
            let bytes = unknown.field(field.field.number)
            guard let carrier = try? DynamicMessage(field.carrier, serialized: bytes),
                let value = carrier[field.field.number]
            else { continue }
            write(value, field.field, name: "[\(field.field.name)]")
            unknown.replace(field.field.number, with: [])
        }
        write(unknown, depth: 10)
    }

    /// A group goes by the name of its type: of editions' delimited fields those that look like groups of proto2.
    private static func name(_ field: FieldSchema, of message: MessageSchema) -> String {
        guard field.type.wireType == WireType.startGroup, let schema = field.type.schema,
            schema.name.hasPrefix(message.name + ".")
        else { return field.name }
        let name = schema.name.dropFirst(message.name.count + 1)
        return name.lowercased() == field.name ? String(name) : field.name
    }

    private mutating func write(_ value: FieldValue, _ field: FieldSchema, name: String) {
        switch value {
        case .list(let values): for value in values { write(value, field, name: name) }
        case .map(let entries):
            for (key, value) in entries.sorted(by: { FieldValue.precedes($0.key, $1.key) }) {
                block(name) { writer in
                    writer.write(key, field, name: "key")
                    writer.write(value, field, name: "value")
                }
            }
        case .message(let message): block(name) { $0.write(message) }
        default: line("\(name): \(Self.scalar(value, field.type))")
        }
    }

    private mutating func block(_ name: String, _ body: (inout TextFormat) -> Void) {
        line("\(name) {")
        level += 1
        body(&self)
        level -= 1
        line("}")
    }

    private mutating func line(_ line: String) {
        if isSingleLine {
            text += text.isEmpty ? line : " " + line
        } else {
            text += String(repeating: "  ", count: level) + line + "\n"
        }
    }

    private static func scalar(_ value: FieldValue, _ type: FieldType) -> String {
        switch value {
        case .int32(let value): String(value)
        case .int64(let value): String(value)
        case .uint32(let value): String(value)
        case .uint64(let value): String(value)
        case .float(let value): number(value.description)
        case .double(let value): number(value.description)
        case .bool(let value): String(value)
        case .string(let value): quoted(Array(value.utf8), keepsUTF8: true)
        case .bytes(let value): quoted(value, keepsUTF8: false)
        case .enumeration(let number):
            if case .enumeration(let schema) = type, let name = schema.name(of: number) { name } else { String(number) }
        case .message, .list, .map: ""
        }
    }

    private static func number(_ text: String) -> String {
        if text.hasSuffix("nan") { return "nan" }
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func quoted(_ bytes: [UInt8], keepsUTF8: Bool) -> String {
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted += [UInt8(ascii: "\\"), byte]
            case 0x0A: quoted += "\\n".utf8
            case 0x0D: quoted += "\\r".utf8
            case 0x09: quoted += "\\t".utf8
            case 0x20..<0x7F: quoted.append(byte)
            case 0x80... where keepsUTF8: quoted.append(byte)
            default: quoted += [UInt8(ascii: "\\"), 48 + byte >> 6, 48 + byte >> 3 & 7, 48 + byte & 7]
            }
        }
        return String(decoding: quoted, as: UTF8.self) + "\""
    }
}

// What the table does not say: packed messages, and unknown fields by their numbers.
extension TextFormat {
    private mutating func writeAny(_ message: DynamicMessage) -> Bool {
        guard message.schema.name == "google.protobuf.Any", case .string(let url)? = message[1],
            let schema = types.message(url: url)
        else { return false }
        let bytes = if case .bytes(let bytes)? = message[2] { bytes } else { [UInt8]() }
        guard let content = try? DynamicMessage(schema, serialized: bytes) else { return false }
        block("[\(url)]") { $0.write(content) }
        return true
    }

    private mutating func write(_ unknown: UnknownFields, depth: Int) {
        var fields: [(tag: UInt32, content: [UInt8])] = []
        unknown.scan { tag, _, content in fields.append((tag, Array(content))) }
        for (tag, content) in fields { write(tag, content, depth: depth) }
    }

    private mutating func write(_ tag: UInt32, _ content: [UInt8], depth: Int) {
        let number = tag >> 3
        switch tag & 7 {
        case WireType.varint: line("\(number): \(content.varint?.value ?? 0)")
        case WireType.startGroup:
            guard depth > 0 else { return line("\(number) {}") }
            // Reading stops at the end tag.
            block("\(number)") { $0.write(UnknownFields(bytes: content), depth: depth - 1) }
        case WireType.delimited:
            let text = Array(content.dropFirst(content.varint?.count ?? 0))
            line("\(number): \(Self.quoted(text, keepsUTF8: false))")
        default:
            let value = content.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let digits = String(value, radix: 16)
            line("\(number): 0x\(String(repeating: "0", count: content.count * 2 - digits.count))\(digits)")
        }
    }
}
