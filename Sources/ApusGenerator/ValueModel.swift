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
        case group
    }

    let kind: Kind
    let swiftType: String
    /// The `FieldType` in the field table.
    let fieldType: String
    let isWide: Bool
    /// The value of an absent field.
    let defaultValue: String

    /// The type of a field that was checked to be generated.
    ///
    /// - Parameters:
    ///   - scope: the full name of the message around the field, or the package.
    ///   - isDelimited: whether messages stand between tags, as groups do. Those of map entries never do.
    init(_ field: FieldDescriptorProto, in scope: String, _ file: FileModel, isDelimited: Bool = false) {
        let named = file.swiftName(field.typeName, in: scope)
        switch field.type {
        case 11 where isDelimited: self.init(.group, named, ".group(\(named).self)", default: "\(named)()")
        case 9: self.init(.string, "String", ".string", default: "\"\"")
        case 10: self.init(.group, named, ".group(\(named).self)", default: "\(named)()")
        case 11: self.init(.message, named, ".message(\(named).self)", default: "\(named)()")
        case 12: self.init(.bytes, "[UInt8]", ".bytes", default: "[]")
        case 14:
            let first = file.index[field.typeName]?.enumeration.flatMap { enumeration in
                enumeration.value.first.flatMap { EnumModel.reference(to: $0, in: enumeration) }
            }
            self.init(
                .enumeration, named, ".enumeration(\(named).schema)", default: first.map { ".\($0)" } ?? "\(named)()")
        default:
            let scalar = Self.scalars[field.type] ?? ("Int32", "int32", false)
            self.init(
                .scalar, scalar.swift, ".\(scalar.proto)", isWide: scalar.isWide,
                default: scalar.swift == "Bool" ? "false" : "0")
        }
    }

    private init(
        _ kind: Kind, _ swiftType: String, _ fieldType: String, isWide: Bool = false, default defaultValue: String
    ) {
        self.kind = kind
        self.swiftType = swiftType
        self.fieldType = fieldType
        self.isWide = isWide
        self.defaultValue = defaultValue
    }

    // By the numbers of FieldDescriptorProto.Type.
    private static let scalars: [Int32: (swift: String, proto: String, isWide: Bool)] = [
        1: ("Double", "double", true), 2: ("Float", "float", false), 3: ("Int64", "int64", true),
        4: ("UInt64", "uint64", true), 5: ("Int32", "int32", false), 6: ("UInt64", "fixed64", true),
        7: ("UInt32", "fixed32", false), 8: ("Bool", "bool", false), 13: ("UInt32", "uint32", false),
        15: ("Int32", "sfixed32", false), 16: ("Int64", "sfixed64", true), 17: ("Int32", "sint32", false),
        18: ("Int64", "sint64", true),
    ]

    var isMessage: Bool { kind == .message || kind == .group }

    var isPackable: Bool { kind == .scalar || kind == .enumeration }

    /// The verb for a single value.
    var verb: String {
        switch kind {
        case .scalar: "scalar"
        case .enumeration: "enumeration"
        case .string: "string"
        case .bytes: "bytes"
        case .message, .group: "message"
        }
    }

    /// The verb for a value with presence.
    var optionalVerb: String { isMessage ? verb : "optional" + SwiftName.upperFirst(verb) }

    /// The verb for a list of values.
    var listVerb: String { kind == .bytes ? "byteStrings" : verb + "s" }

    /// The place of a singular field in its struct.
    func place(hasPresence: Bool) -> FieldPlace {
        switch kind {
        case .string, .bytes: hasPresence ? .presentData : .data
        case .message, .group: .message
        case .scalar, .enumeration: isWide ? .wide : .narrow
        }
    }
}
