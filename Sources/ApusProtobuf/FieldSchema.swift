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
}

/// How often a field may occur, and whether its absence can be told from its default.
public enum FieldShape: Sendable {
    /// At most once; absent means the default.
    case implicit
    /// At most once; presence is part of the value. Every singular message is such a field.
    case optional
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

    /// A field.
    public init(_ number: Int, _ name: String, _ type: FieldType, _ shape: FieldShape = .implicit) {
        self.number = number
        self.name = name
        self.type = type
        self.shape = shape
    }
}
