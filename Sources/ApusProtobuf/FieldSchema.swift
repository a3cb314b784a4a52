// SPDX-License-Identifier: Apache-2.0

/// What one value of a field is. Source: protobuf language guide, *Scalar Value Types*.
public enum FieldType: Sendable {
    /// 64-bit floating point.
    case double
    /// 32-bit floating point.
    case float
    /// A varint; negative numbers take ten bytes.
    case int32
    /// A varint; negative numbers take ten bytes.
    case int64
    /// A varint.
    case uint32
    /// A varint.
    case uint64
    /// A zigzag varint, short for small negative numbers.
    case sint32
    /// A zigzag varint, short for small negative numbers.
    case sint64
    /// Four bytes.
    case fixed32
    /// Eight bytes.
    case fixed64
    /// Four bytes, signed.
    case sfixed32
    /// Eight bytes, signed.
    case sfixed64
    /// True or false.
    case bool
    /// UTF-8 text.
    case string
    /// Any bytes.
    case bytes
    /// A number with names.
    case enumeration(EnumSchema)
    /// Another message.
    case message(any ProtobufMessage.Type)
    /// Another message, between a start and an end tag (proto2).
    case group(any ProtobufMessage.Type)
    /// Another message whose table was made at run time.
    case dynamic(SchemaReference)
}

/// How often a field may occur, and whether its absence can be told from its default.
public enum FieldShape: Sendable {
    /// At most once; absent means the default.
    case implicit
    /// At most once; presence is part of the value. Every singular message is such a field.
    case optional
    /// Exactly once (proto2): a message without it is refused.
    case required
    /// Any number of times, each with its tag.
    case repeated
    /// Any number of times, written as one run of bytes. Either form is accepted.
    case packed
    /// A member of the message's n-th `oneof`.
    case oneof(Int)
    /// A dictionary from keys of this type to values of the field's type.
    case map(key: FieldType)
}

/// One row of a message's field table, as generated code declares it.
public struct FieldSchema: Sendable {
    /// The field's number on the wire.
    public let number: Int
    /// The name in the .proto file.
    public let name: String
    /// What one value is.
    public let type: FieldType
    /// How often it occurs.
    public let shape: FieldShape
    /// The name in JSON: the name in lowerCamelCase, unless the .proto file gives another.
    public let jsonName: String

    /// A field.
    public init(
        _ number: Int, _ name: String, _ type: FieldType, _ shape: FieldShape = .implicit, json: String? = nil
    ) {
        self.number = number
        self.name = name
        self.type = type
        self.shape = shape
        jsonName = json ?? Self.jsonName(of: name)
    }

    /// The name in JSON when the .proto file gives none: underscores go, and the letters behind them become capitals.
    /// Source: google/protobuf/descriptor.proto, json_name.
    public static func jsonName(of name: String) -> String {
        var result: [UInt8] = []
        var isAfterUnderscore = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                isAfterUnderscore = true
            } else {
                let isSmall = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                result.append(isAfterUnderscore && isSmall ? byte - 32 : byte)
                isAfterUnderscore = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
