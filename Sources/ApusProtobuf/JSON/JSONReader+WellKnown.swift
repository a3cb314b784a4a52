// SPDX-License-Identifier: Apache-2.0

import ApusCore

// The types that JSON has a form of their own for. A table of the same name with other fields is taken as it is.
extension JSONReader {
    /// nil for messages that are read field by field.
    func wellKnown(_ schema: MessageSchema, _ json: JSONValue) throws(JSONFailure) -> DynamicMessage? {
        guard schema.name.hasPrefix("google.protobuf.") else { return nil }
        switch schema.name.dropFirst("google.protobuf.".count) {
        case "Timestamp": return try moment(schema, TimestampText.parse(text(json)))
        case "Duration": return try moment(schema, DurationText.parse(text(json)))
        case "FieldMask":
            let paths = try FieldMaskText.parse(text(json))
            return try made(schema, [(1, .list(paths.map { .string($0) }))])
        case "Struct": return try structure(schema, json)
        case "ListValue": return try list(schema, json)
        case "Value": return try value(schema, json)
        case "Any": return try any(schema, json)
        case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue",
            "StringValue", "BytesValue":
            guard let field = schema.field(numbered: 1), let value = try single(json, field.type) else { return nil }
            return try made(schema, [(1, value)])
        default: return nil
        }
    }

    private func text(_ json: JSONValue) throws(JSONFailure) -> String {
        guard case .string(let text) = json else { throw JSONFailure("text is expected") }
        return text
    }

    private func moment(
        _ schema: MessageSchema, _ moment: (seconds: Int64, nanos: Int32)
    ) throws(JSONFailure) -> DynamicMessage {
        try made(schema, [(1, .int64(moment.seconds)), (2, .int32(moment.nanos))])
    }

    /// A message with these fields.
    private func made(_ schema: MessageSchema, _ fields: [(Int, FieldValue)]) throws(JSONFailure) -> DynamicMessage {
        var message = DynamicMessage(schema)
        for (number, value) in fields {
            guard let field = schema.field(numbered: number), value.fits(field) else {
                throw JSONFailure("\(schema.name) is not the well-known type of that name")
            }
            message.put(value, in: field)
        }
        return message
    }

    private func structure(_ schema: MessageSchema, _ json: JSONValue) throws(JSONFailure) -> DynamicMessage {
        guard case .object(let members) = json else { throw JSONFailure("an object is expected") }
        guard let valueSchema = schema.field(numbered: 1)?.type.schema else {
            return try made(schema, [(0, .bool(true))])
        }
        var entries: [FieldValue: FieldValue] = [:]
        for member in members {
            guard entries[.string(member.name)] == nil else {
                throw JSONFailure("the key comes twice").inside(member.name)
            }
            entries[.string(member.name)] = .message(try value(valueSchema, member.value))
        }
        return try made(schema, [(1, .map(entries))])
    }

    private func list(_ schema: MessageSchema, _ json: JSONValue) throws(JSONFailure) -> DynamicMessage {
        guard case .array(let values) = json else { throw JSONFailure("an array is expected") }
        guard let valueSchema = schema.field(numbered: 1)?.type.schema else {
            return try made(schema, [(0, .bool(true))])
        }
        var elements: [FieldValue] = []
        for element in values { elements.append(.message(try value(valueSchema, element))) }
        return try made(schema, [(1, .list(elements))])
    }

    // The fields of google.protobuf.Value.
    private func value(_ schema: MessageSchema, _ json: JSONValue) throws(JSONFailure) -> DynamicMessage {
        switch json {
        case .null: return try made(schema, [(1, .enumeration(0))])
        case .number: return try made(schema, [(2, .double(try real(json)))])
        case .string(let text): return try made(schema, [(3, .string(text))])
        case .bool(let value): return try made(schema, [(4, .bool(value))])
        case .object: return try made(schema, [(5, .message(try child(5, schema, json)))])
        case .array: return try made(schema, [(6, .message(try child(6, schema, json)))])
        }
    }

    private func child(_ number: Int, _ schema: MessageSchema, _ json: JSONValue) throws(JSONFailure) -> DynamicMessage
    {
        guard let child = schema.field(numbered: number)?.type.schema else {
            throw JSONFailure("\(schema.name) is not the well-known type of that name")
        }
        return try message(child, json)
    }

    private func any(_ schema: MessageSchema, _ json: JSONValue) throws(JSONFailure) -> DynamicMessage {
        guard case .object(let members) = json else { throw JSONFailure("an object is expected") }
        if members.isEmpty { return DynamicMessage(schema) }
        let urls = members.filter { $0.name == "@type" }
        guard urls.count == 1, case .string(let url)? = urls.first?.value else {
            throw JSONFailure("an Any names its type once, in '@type'")
        }
        guard let content = options.types.message(url: url) else {
            throw JSONFailure("the type '\(url)' of an Any is not known: name it in the options' types")
        }
        let rest = members.filter { $0.name != "@type" }
        let message = try self.content(content, rest)
        let bytes: [UInt8]
        do {
            bytes = try message.serializedBytes()
        } catch {
            throw JSONFailure(error.message)
        }
        return try made(schema, [(1, .string(url)), (2, .bytes(bytes))])
    }

    /// What has a form of its own stands under `value`.
    private func content(_ schema: MessageSchema, _ members: [JSONValue.Member]) throws(JSONFailure) -> DynamicMessage {
        if members.count == 1, members[0].name == "value", let known = try wellKnown(schema, members[0].value) {
            return known
        }
        if schema.name == "google.protobuf.Empty", members.count == 1, members[0].name == "value" {
            return try message(schema, members[0].value)
        }
        return try message(schema, members)
    }
}
