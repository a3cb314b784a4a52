// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// One field of a message, or an extension, as generated code has it.
struct FieldModel {
    enum Shape {
        case implicit
        case optional
        case required
        case list(isPacked: Bool)
        case map(key: ValueModel)
        case oneof(Int)
    }

    let number: Int32
    /// The name in the field table.
    let protoName: String
    /// The name in JSON; nil where it is what every field of that name has.
    let jsonName: String?
    /// The name of the property, or of the case in a oneof's enum.
    let name: String
    let value: ValueModel
    let shape: Shape
    let isRecursive: Bool
    let isDeprecated: Bool
    /// The value that the .proto file gives an absent field, as a Swift expression.
    let explicitDefault: String?
    let comment: String

    /// What generated code itself uses: of a deprecated property, the one behind it.
    var storage: String { isDeprecated ? SwiftName.hidden(name) : name }

    var place: FieldPlace {
        switch shape {
        case .implicit: value.place(hasPresence: false)
        case .optional, .required: value.place(hasPresence: true)
        case .list, .map: .list
        case .oneof(let index): .oneof(index)
        }
    }

    var isRequired: Bool { if case .required = shape { true } else { false } }

    /// The property's type.
    var type: String {
        switch shape {
        case .implicit, .required, .oneof: value.swiftType
        case .optional: "\(value.swiftType)?"
        case .list: "[\(value.swiftType)]"
        case .map(let key): "[\(key.swiftType): \(value.swiftType)]"
        }
    }

    /// The property's first value.
    var defaultValue: String {
        switch shape {
        case .implicit, .oneof: value.defaultValue
        case .required: explicitDefault ?? value.defaultValue
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
            case .required: ", .required"
            case .list(let isPacked): isPacked ? ", .packed" : ", .repeated"
            case .map(let key): ", .map(key: \(key.fieldType))"
            case .oneof(let index): ", .oneof(\(index))"
            }
        let json = jsonName.map { ", json: \(SwiftName.literal($0))" } ?? ""
        return "FieldSchema(\(number), \"\(protoName)\", \(value.fieldType)\(shapeText)\(json))"
    }
}

// Of what protoc describes.
extension FieldModel {
    /// - Parameters:
    ///   - protoName: the name in the table: that of an extension is a full one.
    ///   - scope: the full name of the message that the field stands in, or the file's package.
    init(
        _ field: FieldDescriptorProto, protoName: String, name: String, comment: String, of scope: String,
        in file: FileModel
    ) {
        number = field.number
        self.protoName = protoName
        self.name = name
        self.comment = comment
        isDeprecated = field.options?.deprecated ?? false
        let usualName = FieldSchema.jsonName(of: field.name)
        jsonName = field.jsonName == nil || field.jsonName == usualName ? nil : field.jsonName
        if let entry = file.index.mapEntry(field), entry.field.count == 2 {
            value = ValueModel(entry.field[1], in: scope, file)
            shape = .map(key: ValueModel(entry.field[0], in: scope, file))
            isRecursive = false
            explicitDefault = nil
            return
        }
        let features = file.index.features(of: field, in: scope, file.descriptor.name)
        let value = ValueModel(field, in: scope, file, isDelimited: features.isDelimited)
        self.value = value
        shape = Self.shape(of: field, value, features)
        explicitDefault = field.defaultValue.map { DefaultValue.expression($0, field, file.index) }
        let isHeld = value.isMessage && !field.isRepeated && !field.isRequired(features) && field.extendee.isEmpty
        isRecursive = isHeld && file.recursive.isRecursive(".\(scope)", field.typeName)
    }

    private static func shape(
        of field: FieldDescriptorProto, _ value: ValueModel, _ features: EditionFeatures
    ) -> Shape {
        if field.isRepeated { return .list(isPacked: value.isPackable && field.options?.packed ?? features.isPacked) }
        if let index = field.oneofIndex, !field.isProto3Optional { return .oneof(Int(index)) }
        if field.isRequired(features) { return .required }
        let hasPresence = features.hasPresence || field.isProto3Optional || value.isMessage || !field.extendee.isEmpty
        return hasPresence ? .optional : .implicit
    }

    var oneofIndex: Int? {
        guard case .oneof(let index) = shape else { return nil }
        return index
    }
}

extension FieldDescriptorProto {
    // By the numbers of FieldDescriptorProto.Label and Type.
    func isRequired(_ features: EditionFeatures) -> Bool { label == 2 || features.isRequired && !isRepeated }
    var isRepeated: Bool { label == 3 }
    var isMessage: Bool { type == 10 || type == 11 }
    var isProto3Optional: Bool { proto3Optional ?? false }
}
