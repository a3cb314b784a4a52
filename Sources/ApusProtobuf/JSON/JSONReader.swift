// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Makes a message of JSON, by its table. Source: protobuf language guide, *JSON Mapping*.
struct JSONReader {
    let options: JSONDecodingOptions

    func message(_ schema: MessageSchema, _ json: JSONValue) throws(JSONFailure) -> DynamicMessage {
        if let known = try wellKnown(schema, json) { return known }
        guard case .object(let members) = json else { throw JSONFailure("an object is expected") }
        return try message(schema, members)
    }

    func message(_ schema: MessageSchema, _ members: [JSONValue.Member]) throws(JSONFailure) -> DynamicMessage {
        var message = DynamicMessage(schema)
        var seen: Set<Int> = []
        for member in members {
            do {
                try read(member, into: &message, &seen)
            } catch {
                throw error.inside(member.name)
            }
        }
        return message
    }

    private func read(
        _ member: JSONValue.Member, into message: inout DynamicMessage, _ seen: inout Set<Int>
    ) throws(JSONFailure) {
        guard let field = message.schema.field(json: member.name) else {
            return try readExtension(member, into: &message)
        }
        guard seen.insert(field.number).inserted else { throw JSONFailure("the field comes twice") }
        guard let value = try value(member.value, field) else { return }
        if case .oneof(let index) = field.shape, message.hasOneof(index) {
            throw JSONFailure("another field of its oneof is there already")
        }
        message.put(value, in: field)
    }

    private func readExtension(_ member: JSONValue.Member, into message: inout DynamicMessage) throws(JSONFailure) {
        guard member.name.hasPrefix("["), member.name.hasSuffix("]"),
            let field = options.types.extension(
                of: message.schema, named: String(member.name.dropFirst().dropLast()))
        else {
            if options.ignoresUnknownFields { return }
            throw JSONFailure("\(message.schema.name) has no such field")
        }
        guard let value = try value(member.value, field.field) else { return }
        var carrier = DynamicMessage(field.carrier)
        carrier.put(value, in: field.field)
        do {
            message.unknownFields.append(try carrier.serializedBytes())
        } catch {
            throw JSONFailure(error.message)
        }
    }

    /// nil for a field that stays absent.
    private func value(_ json: JSONValue, _ field: FieldSchema) throws(JSONFailure) -> FieldValue? {
        if json == .null, !field.takesNull { return nil }
        switch field.shape {
        case .repeated, .packed: return .list(try elements(json, field))
        case .map(let key): return .map(try entries(json, key, field))
        default: return try single(json, field.type)
        }
    }

    private func elements(_ json: JSONValue, _ field: FieldSchema) throws(JSONFailure) -> [FieldValue] {
        guard case .array(let values) = json else { throw JSONFailure("an array is expected") }
        var elements: [FieldValue] = []
        for (index, value) in values.enumerated() {
            do {
                if let element = try single(value, field.type) { elements.append(element) }
            } catch {
                throw error.inside("\(index)")
            }
        }
        return elements
    }

    private func entries(
        _ json: JSONValue, _ key: FieldType, _ field: FieldSchema
    ) throws(JSONFailure) -> [FieldValue: FieldValue] {
        guard case .object(let members) = json else { throw JSONFailure("an object is expected") }
        var entries: [FieldValue: FieldValue] = [:]
        for member in members {
            do throws(JSONFailure) {
                let key = try mapKey(member.name, key)
                guard entries[key] == nil else { throw JSONFailure("the key comes twice") }
                if let value = try single(member.value, field.type) { entries[key] = value }
            } catch {
                throw error.inside(member.name)
            }
        }
        return entries
    }

    private func mapKey(_ name: String, _ type: FieldType) throws(JSONFailure) -> FieldValue {
        switch (type, name) {
        case (.bool, "true"): return .bool(true)
        case (.bool, "false"): return .bool(false)
        case (.bool, _): throw JSONFailure("true or false is expected")
        default:
            guard let value = try single(.string(name), type) else { throw JSONFailure("the key has no value") }
            return value
        }
    }

    /// nil only for unknown names of enum values that are to be ignored.
    func single(_ json: JSONValue, _ type: FieldType) throws(JSONFailure) -> FieldValue? {
        switch type {
        case .int32, .sint32, .sfixed32: return .int32(try integer(json))
        case .int64, .sint64, .sfixed64: return .int64(try integer(json))
        case .uint32, .fixed32: return .uint32(try integer(json))
        case .uint64, .fixed64: return .uint64(try integer(json))
        case .float: return .float(try real(json))
        case .double: return .double(try real(json))
        case .bool:
            guard case .bool(let value) = json else { throw JSONFailure("true or false is expected") }
            return .bool(value)
        case .string:
            guard case .string(let value) = json else { throw JSONFailure("text is expected") }
            return .string(value)
        case .bytes: return .bytes(try bytes(json))
        case .enumeration(let schema): return try enumeration(json, schema).map { .enumeration($0) }
        case .message, .group, .dynamic:
            guard let schema = type.schema else { throw JSONFailure("the field's type is not known") }
            return .message(try message(schema, json))
        }
    }

    private func enumeration(_ json: JSONValue, _ schema: EnumSchema) throws(JSONFailure) -> Int32? {
        switch json {
        case .string(let name):
            if let number = schema.number(of: name) { return number }
            if options.ignoresUnknownFields { return nil }
            throw JSONFailure("\(schema.name) has no value '\(name)'")
        case .null where schema.name == "google.protobuf.NullValue": return 0
        default: return try integer(json)
        }
    }

    private func integer<T: FixedWidthInteger>(_ json: JSONValue) throws(JSONFailure) -> T {
        guard let text = numberText(json), let value: T = JSONNumber.integer(text) else {
            throw JSONFailure("a whole number from \(T.min) to \(T.max) is expected")
        }
        return value
    }

    private func numberText(_ json: JSONValue) -> String? {
        switch json {
        case .number(let text): text
        case .string(let text) where JSONNumber.isNumber(text): text
        default: nil
        }
    }

    func real<T: BinaryFloatingPoint & LosslessStringConvertible>(_ json: JSONValue) throws(JSONFailure) -> T {
        switch json {
        case .string("NaN"): return .nan
        case .string("Infinity"): return .infinity
        case .string("-Infinity"): return -.infinity
        default:
            guard let text = numberText(json), let value = T(text), value.isFinite else {
                throw JSONFailure("a number in range is expected")
            }
            return value
        }
    }

    private func bytes(_ json: JSONValue) throws(JSONFailure) -> [UInt8] {
        guard case .string(let text) = json else { throw JSONFailure("base64 is expected") }
        // Both alphabets: the one for URLs has - for + and _ for /.
        let standard = text.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        guard let bytes = standard.withUnsafeBytes({ Base64.decode($0) }) else {
            throw JSONFailure("base64 is expected")
        }
        return bytes
    }
}

extension DynamicMessage {
    fileprivate func hasOneof(_ index: Int) -> Bool {
        schema.fields.contains { field in
            if case .oneof(index) = field.shape { self[field.number] != nil } else { false }
        }
    }
}

extension FieldSchema {
    /// Whether null is a value of the field, and not its absence.
    fileprivate var takesNull: Bool {
        switch shape {
        case .repeated, .packed, .map: return false
        default: break
        }
        if case .enumeration(let schema) = type { return schema.name == "google.protobuf.NullValue" }
        return type.schema?.name == "google.protobuf.Value"
    }
}

extension MessageSchema {
    /// The field with this name in JSON or in the .proto file.
    fileprivate func field(json name: String) -> FieldSchema? {
        fields.first { $0.jsonName == name } ?? fields.first { $0.name == name }
    }
}
