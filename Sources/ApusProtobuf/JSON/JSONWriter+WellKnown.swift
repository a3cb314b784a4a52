// SPDX-License-Identifier: Apache-2.0

import ApusCore

// The types that JSON has a form of their own for. A table of the same name with other fields is taken as it is.
extension JSONWriter {
    /// nil for messages that are written field by field.
    func wellKnown(_ message: DynamicMessage) throws(JSONFailure) -> JSONValue? {
        guard message.schema.name.hasPrefix("google.protobuf.") else { return nil }
        switch message.schema.name.dropFirst("google.protobuf.".count) {
        case "Timestamp": return .string(try TimestampText.text(seconds: message.int64(1), nanos: message.int32(2)))
        case "Duration": return .string(try DurationText.text(seconds: message.int64(1), nanos: message.int32(2)))
        case "FieldMask": return .string(try FieldMaskText.text(message.strings(1)))
        case "Struct": return .object(try structMembers(message))
        case "ListValue": return .array(try listElements(message))
        case "Value": return try value(ofValue: message)
        case "Any": return .object(try any(message))
        case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue",
            "StringValue", "BytesValue":
            return try wrapped(message)
        default: return nil
        }
    }

    private func wrapped(_ message: DynamicMessage) throws(JSONFailure) -> JSONValue? {
        guard let field = message.schema.field(numbered: 1),
            let value = message[1] ?? FieldValue(defaultOf: field.type)
        else { return nil }
        return try single(value, field.type)
    }

    private func structMembers(_ message: DynamicMessage) throws(JSONFailure) -> [JSONValue.Member] {
        guard case .map(let entries)? = message[1] else { return [] }
        var members: [JSONValue.Member] = []
        for (key, value) in entries.sorted(by: { FieldValue.precedes($0.key, $1.key) }) {
            guard case .string(let name) = key, case .message(let value) = value else { continue }
            members.append(JSONValue.Member(name: name, value: try self.value(value)))
        }
        return members
    }

    private func listElements(_ message: DynamicMessage) throws(JSONFailure) -> [JSONValue] {
        guard case .list(let values)? = message[1] else { return [] }
        var elements: [JSONValue] = []
        for case .message(let value) in values { elements.append(try self.value(value)) }
        return elements
    }

    private func value(ofValue message: DynamicMessage) throws(JSONFailure) -> JSONValue {
        for field in message.schema.fields {
            switch message[field.number] {
            case .enumeration: return .null
            case .double(let number):
                guard number.isFinite else { throw JSONFailure("a Value cannot hold NaN or infinity in JSON") }
                return Self.number(number.description, isFinite: true)
            case .string(let text): return .string(text)
            case .bool(let value): return .bool(value)
            case .message(let message): return try value(message)
            default: continue
            }
        }
        throw JSONFailure("a Value without a kind has no JSON")
    }

    private func any(_ message: DynamicMessage) throws(JSONFailure) -> [JSONValue.Member] {
        guard case .string(let url)? = message[1] else {
            guard message[2] == nil else { throw JSONFailure("an Any with a value names no type") }
            return []
        }
        guard let schema = options.types.message(url: url) else {
            throw JSONFailure("the type '\(url)' of an Any is not known: name it in the options' types")
        }
        let bytes = if case .bytes(let bytes)? = message[2] { bytes } else { [UInt8]() }
        let content: DynamicMessage
        do {
            content = try DynamicMessage(schema, serialized: bytes)
        } catch {
            throw JSONFailure(error.message)
        }
        let type = JSONValue.Member(name: "@type", value: .string(url))
        if let special = try wellKnown(content) ?? Self.empty(schema) {
            return [type, JSONValue.Member(name: "value", value: special)]
        }
        return [type] + (try members(content))
    }

    // Empty has a form of its own, too: the object that it is anyway.
    private static func empty(_ schema: MessageSchema) -> JSONValue? {
        schema.name == "google.protobuf.Empty" ? .object([]) : nil
    }
}

extension DynamicMessage {
    fileprivate func int64(_ number: Int) -> Int64 { if case .int64(let value)? = self[number] { value } else { 0 } }

    fileprivate func int32(_ number: Int) -> Int32 { if case .int32(let value)? = self[number] { value } else { 0 } }

    fileprivate func strings(_ number: Int) -> [String] {
        guard case .list(let values)? = self[number] else { return [] }
        return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }
}
