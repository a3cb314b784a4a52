// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// What one value of a field is in Swift, and which verbs of the runtime read and write it.
struct ValueModel {
    enum Kind {
        case scalar
        case enumeration
        case string
        case bytes
        case message
    }

    let kind: Kind
    let swiftType: String
    /// The `FieldType` in the field table.
    let fieldType: String
    let isWide: Bool

    /// The type of a field that was checked to be generated.
    init(_ field: FieldDescriptorProto, _ index: TypeIndex) {
        let named = index[field.typeName]?.swiftName ?? field.typeName
        switch field.type {
        case 9: self.init(.string, "String", ".string")
        case 11: self.init(.message, named, ".message(\(named).self)")
        case 12: self.init(.bytes, "[UInt8]", ".bytes")
        case 14: self.init(.enumeration, named, ".enumeration(\(named).schema)")
        default:
            let scalar = Self.scalars[field.type] ?? ("Int32", "int32", false)
            self.init(.scalar, scalar.swift, ".\(scalar.proto)", isWide: scalar.isWide)
        }
    }

    private init(_ kind: Kind, _ swiftType: String, _ fieldType: String, isWide: Bool = false) {
        self.kind = kind
        self.swiftType = swiftType
        self.fieldType = fieldType
        self.isWide = isWide
    }

    // By the numbers of FieldDescriptorProto.Type.
    private static let scalars: [Int32: (swift: String, proto: String, isWide: Bool)] = [
        1: ("Double", "double", true), 2: ("Float", "float", false), 3: ("Int64", "int64", true),
        4: ("UInt64", "uint64", true), 5: ("Int32", "int32", false), 6: ("UInt64", "fixed64", true),
        7: ("UInt32", "fixed32", false), 8: ("Bool", "bool", false), 13: ("UInt32", "uint32", false),
        15: ("Int32", "sfixed32", false), 16: ("Int64", "sfixed64", true), 17: ("Int32", "sint32", false),
        18: ("Int64", "sint64", true),
    ]

    /// The verb for a single value.
    var verb: String {
        switch kind {
        case .scalar: "scalar"
        case .enumeration: "enumeration"
        case .string: "string"
        case .bytes: "bytes"
        case .message: "message"
        }
    }

    /// The verb for a value with presence.
    var optionalVerb: String { kind == .message ? verb : "optional" + SwiftName.upperFirst(verb) }

    /// The verb for a list of values.
    var listVerb: String { kind == .bytes ? "byteStrings" : verb + "s" }

    /// The value of an absent field.
    var defaultValue: String {
        switch kind {
        case .scalar: swiftType == "Bool" ? "false" : "0"
        case .enumeration: "\(swiftType)(rawValue: 0)"
        case .string: "\"\""
        case .bytes: "[]"
        case .message: "\(swiftType)()"
        }
    }

    /// The place of a singular field in its struct.
    func place(hasPresence: Bool) -> FieldPlace {
        switch kind {
        case .string, .bytes: hasPresence ? .presentData : .data
        case .message: .message
        case .scalar, .enumeration: isWide ? .wide : .narrow
        }
    }
}

/// One field of a message as generated code has it.
struct FieldModel {
    enum Shape {
        case implicit
        case optional
        case list(isPacked: Bool)
        case map(key: ValueModel)
        case oneof(Int)
    }

    let number: Int32
    let protoName: String
    /// The name of the property, or of the case in a oneof's enum.
    let name: String
    let value: ValueModel
    let shape: Shape
    let isRecursive: Bool
    let comment: String

    var place: FieldPlace {
        switch shape {
        case .implicit: value.place(hasPresence: false)
        case .optional: value.place(hasPresence: true)
        case .list, .map: .list
        case .oneof(let index): .oneof(index)
        }
    }

    /// The property's type.
    var type: String {
        switch shape {
        case .implicit, .oneof: value.swiftType
        case .optional: "\(value.swiftType)?"
        case .list: "[\(value.swiftType)]"
        case .map(let key): "[\(key.swiftType): \(value.swiftType)]"
        }
    }

    /// The property's first value.
    var defaultValue: String {
        switch shape {
        case .implicit, .oneof: value.defaultValue
        case .optional: "nil"
        case .list: "[]"
        case .map: "[:]"
        }
    }

    /// The row of the field table.
    var schemaRow: String {
        let shapeText =
            switch shape {
            case .implicit: ""
            case .optional: ", .optional"
            case .list(let isPacked): isPacked ? ", .packed" : ", .repeated"
            case .map(let key): ", .map(key: \(key.fieldType))"
            case .oneof(let index): ", .oneof(\(index))"
            }
        return "FieldSchema(\(number), \"\(protoName)\", \(value.fieldType)\(shapeText))"
    }
}
