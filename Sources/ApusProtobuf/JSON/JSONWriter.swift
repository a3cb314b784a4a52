// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Makes JSON of a message, by its table. Source: protobuf language guide, *JSON Mapping*.
struct JSONWriter {
    let options: JSONEncodingOptions

    func value(_ message: DynamicMessage) throws(JSONFailure) -> JSONValue {
        if let known = try wellKnown(message) { return known }
        return .object(try members(message))
    }

    func members(_ message: DynamicMessage) throws(JSONFailure) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        for field in message.schema.fields {
            guard let value = message[field.number] ?? absent(field) else { continue }
            let name = options.preservesFieldNames ? field.name : field.jsonName
            do {
                members.append(JSONValue.Member(name: name, value: try self.value(value, field)))
            } catch {
                throw error.inside(field.name)
            }
        }
        return members + (try extensions(message))
    }

    private func extensions(_ message: DynamicMessage) throws(JSONFailure) -> [JSONValue.Member] {
        guard !message.unknownFields.isEmpty else { return [] }
        var members: [JSONValue.Member] = []
        for field in options.types.extensions(of: message.schema) {
            let bytes = message.unknownFields.field(field.field.number)
            let carrier: DynamicMessage
            do {
                carrier = try DynamicMessage(field.carrier, serialized: bytes)
            } catch {
                throw JSONFailure(error.message).inside("[\(field.field.name)]")
            }
            guard let value = carrier[field.field.number] else { continue }
            members.append(JSONValue.Member(name: "[\(field.field.name)]", value: try self.value(value, field.field)))
        }
        return members
    }

    /// What is written for an absent field, if anything.
    private func absent(_ field: FieldSchema) -> FieldValue? {
        guard options.writesDefaults else { return nil }
        switch field.shape {
        case .implicit: return FieldValue(defaultOf: field.type)
        case .repeated, .packed: return .list([])
        case .map: return .map([:])
        case .optional, .required, .oneof: return nil
        }
    }

    private func value(_ value: FieldValue, _ field: FieldSchema) throws(JSONFailure) -> JSONValue {
        switch value {
        case .list(let values):
            var elements: [JSONValue] = []
            for value in values { elements.append(try single(value, field.type)) }
            return .array(elements)
        case .map(let entries):
            var members: [JSONValue.Member] = []
            for (key, value) in entries.sorted(by: { FieldValue.precedes($0.key, $1.key) }) {
                members.append(JSONValue.Member(name: Self.name(key), value: try single(value, field.type)))
            }
            return .object(members)
        default: return try single(value, field.type)
        }
    }

    func single(_ value: FieldValue, _ type: FieldType) throws(JSONFailure) -> JSONValue {
        switch value {
        case .int32(let value): .number(String(value))
        case .uint32(let value): .number(String(value))
        case .int64(let value): .string(String(value))
        case .uint64(let value): .string(String(value))
        case .float(let value): Self.number(value.description, isFinite: value.isFinite)
        case .double(let value): Self.number(value.description, isFinite: value.isFinite)
        case .bool(let value): .bool(value)
        case .string(let value): .string(value)
        case .bytes(let value): .string(Self.base64(value))
        case .enumeration(let number): enumeration(number, type)
        case .message(let message): try self.value(message)
        case .list, .map: .null
        }
    }

    private func enumeration(_ number: Int32, _ type: FieldType) -> JSONValue {
        guard case .enumeration(let schema) = type else { return .number(String(number)) }
        if schema.name == "google.protobuf.NullValue" { return .null }
        guard !options.writesEnumsAsNumbers, let name = schema.name(of: number) else { return .number(String(number)) }
        return .string(name)
    }

    static func number(_ text: String, isFinite: Bool) -> JSONValue {
        guard isFinite else {
            return .string(text == "inf" ? "Infinity" : text == "-inf" ? "-Infinity" : "NaN")
        }
        // Readers take "-0" for the whole number, which has no sign.
        return .number(text.hasSuffix(".0") && text != "-0.0" ? String(text.dropLast(2)) : text)
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let text = String(decoding: Base64.encode(bytes), as: UTF8.self)
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }

    private static func name(_ key: FieldValue) -> String {
        switch key {
        case .int32(let value): String(value)
        case .int64(let value): String(value)
        case .uint32(let value): String(value)
        case .uint64(let value): String(value)
        case .bool(let value): String(value)
        case .string(let value): value
        default: ""
        }
    }
}
