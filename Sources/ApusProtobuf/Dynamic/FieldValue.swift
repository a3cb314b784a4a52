// SPDX-License-Identifier: Apache-2.0

/// The value of a field of a message whose type is known at run time only.
public enum FieldValue: Sendable, Hashable {
    /// int32, sint32 and sfixed32.
    case int32(Int32)
    /// int64, sint64 and sfixed64.
    case int64(Int64)
    /// uint32 and fixed32.
    case uint32(UInt32)
    /// uint64 and fixed64.
    case uint64(UInt64)
    /// A 32-bit float.
    case float(Float)
    /// A 64-bit float.
    case double(Double)
    /// True or false.
    case bool(Bool)
    /// Text.
    case string(String)
    /// Bytes.
    case bytes([UInt8])
    /// The number of an enum's value.
    case enumeration(Int32)
    /// A message, or a group.
    case message(DynamicMessage)
    /// The elements of a repeated field.
    case list([FieldValue])
    /// The entries of a map. Keys are whole numbers, truth values or text.
    case map([FieldValue: FieldValue])
}

extension FieldValue {
    /// What an absent field of this type is; nil for messages.
    init?(defaultOf type: FieldType) {
        switch type {
        case .int32, .sint32, .sfixed32: self = .int32(0)
        case .int64, .sint64, .sfixed64: self = .int64(0)
        case .uint32, .fixed32: self = .uint32(0)
        case .uint64, .fixed64: self = .uint64(0)
        case .float: self = .float(0)
        case .double: self = .double(0)
        case .bool: self = .bool(false)
        case .string: self = .string("")
        case .bytes: self = .bytes([])
        case .enumeration(let schema): self = .enumeration(schema.values.first?.number ?? 0)
        case .message, .group, .dynamic: return nil
        }
    }

    /// Whether the value can stand in such a field, elements and entries aside.
    func fits(_ type: FieldType) -> Bool {
        switch (self, type) {
        case (.int32, .int32), (.int32, .sint32), (.int32, .sfixed32), (.int64, .int64), (.int64, .sint64),
            (.int64, .sfixed64), (.uint32, .uint32), (.uint32, .fixed32), (.uint64, .uint64), (.uint64, .fixed64),
            (.float, .float), (.double, .double), (.bool, .bool), (.string, .string), (.bytes, .bytes),
            (.enumeration, .enumeration):
            true
        case (.message(let message), _): message.schema === type.schema
        default: false
        }
    }
}
