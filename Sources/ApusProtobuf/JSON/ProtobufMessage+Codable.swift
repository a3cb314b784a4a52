// SPDX-License-Identifier: Apache-2.0

// Messages are coded as their JSON mapping says, by whatever encoder: fields by their JSON names, 64-bit numbers as
// text, well-known types in their own forms.
extension ProtobufMessage {
    /// The message in the decoder's value, by the JSON mapping.
    ///
    /// - Throws: an `RPCError` (INVALID_ARGUMENT) for values that are no such message; what the decoder throws.
    public init(from decoder: any Decoder) throws {
        var options = JSONDecodingOptions()
        if let types = decoder.userInfo[.protobufTypes] as? TypeRegistry { options.types = types }
        self = try DynamicMessage(Self.schema, JSONValue(from: decoder), options).message()
    }

    /// Writes the message by the JSON mapping.
    ///
    /// - Throws: an `RPCError` (INVALID_ARGUMENT) for what JSON cannot say; what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var options = JSONEncodingOptions()
        if let types = encoder.userInfo[.protobufTypes] as? TypeRegistry { options.types = types }
        try DynamicMessage(self).jsonValue(options).encode(to: encoder)
    }
}

extension CodingUserInfoKey {
    /// The ``TypeRegistry`` for the `Any` values and extensions that a coder meets.
    public static let protobufTypes = CodingUserInfoKey(rawValue: "apus.protobuf.types").unsafelyUnwrapped
}

extension JSONValue: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Key.self) {
            self = .object(
                try container.allKeys.map {
                    Member(name: $0.stringValue, value: try container.decode(JSONValue.self, forKey: $0))
                })
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            self = try Self.single(decoder.singleValueContainer())
        }
    }

    private static func single(_ container: any SingleValueDecodingContainer) throws -> JSONValue {
        if container.decodeNil() { return .null }
        if let value = try? container.decode(Bool.self) { return .bool(value) }
        if let value = try? container.decode(Int64.self) { return .number(String(value)) }
        if let value = try? container.decode(UInt64.self) { return .number(String(value)) }
        if let value = try? container.decode(Double.self) {
            return JSONWriter.number("\(value)", isFinite: value.isFinite)
        }
        return .string(try container.decode(String.self))
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members):
            var container = encoder.container(keyedBy: Key.self)
            for member in members { try container.encode(member.value, forKey: Key(stringValue: member.name)) }
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        default:
            var container = encoder.singleValueContainer()
            try encode(into: &container)
        }
    }

    private func encode(into container: inout any SingleValueEncodingContainer) throws {
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .string(let text): try container.encode(text)
        case .number(let text):
            if let value = Int64(text) {
                try container.encode(value)
            } else if let value = UInt64(text) {
                try container.encode(value)
            } else {
                try container.encode(Double(text) ?? .nan)
            }
        case .array, .object: break
        }
    }
}
