// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// A message as generated code has it.
struct MessageModel {
    struct Oneof {
        let index: Int
        /// The property's name.
        let name: String
        /// The enum's name.
        let type: String
        let comment: String
        let members: [FieldModel]
    }

    /// A stored property: a field, or a whole oneof.
    enum Property {
        case field(FieldModel, word: Int)
        case oneof(Oneof, word: Int)
    }

    let fullName: String
    let name: String
    let comment: String
    let fields: [FieldModel]
    let properties: [Property]
    let path: [Int32]
    let descriptor: DescriptorProto

    init(_ message: DescriptorProto, fullName: String, path: [Int32], in file: FileModel) {
        self.fullName = fullName
        self.path = path
        descriptor = message
        name = file.swiftName(".\(fullName)").split(separator: ".").last.map(String.init) ?? message.name
        let comment = file.comments.comment(path)
        self.comment = comment.isEmpty ? "The message `\(fullName)`." : comment
        let fields = Self.fields(of: message, fullName, path, file)
        self.fields = fields
        let nested = Set((message.nestedType.map(\.name) + message.enumType.map(\.name)).map(SwiftName.upperFirst))
        let oneofs = message.oneofDecl.enumerated().map { index, oneof in
            Oneof(
                index: index, name: SwiftName.property(oneof.name),
                type: SwiftName.oneofType(oneof.name, besides: nested),
                comment: file.comments.comment(path + [8, Int32(index)]),
                members: fields.filter { $0.oneofIndex == index })
        }
        properties = Self.properties(fields, oneofs)
    }

    private static func fields(
        of message: DescriptorProto, _ fullName: String, _ path: [Int32], _ file: FileModel
    ) -> [FieldModel] {
        var taken: Set<String> = []
        return message.field.enumerated().map { index, field in
            let isMember = field.oneofIndex != nil && !field.proto3Optional
            var name = isMember ? SwiftName.oneofCase(field.name) : SwiftName.property(field.name)
            // Names that differ only in underscores and capitals.
            if !taken.insert(name).inserted { name += "_\(field.number)" }
            let comment = file.comments.comment(path + [2, Int32(index)])
            return FieldModel(field, name: name, comment: comment, of: fullName, in: file)
        }
    }

    private static func properties(_ fields: [FieldModel], _ oneofs: [Oneof]) -> [Property] {
        let words = FieldPlace.layout(fields.map(\.place)).words
        var seen: Set<Int> = []
        return zip(fields, words).compactMap { field, word -> Property? in
            guard let index = field.oneofIndex else { return .field(field, word: word) }
            return seen.insert(index).inserted ? .oneof(oneofs[index], word: word) : nil
        }
    }
}

extension FieldModel {
    var oneofIndex: Int? {
        guard case .oneof(let index) = shape else { return nil }
        return index
    }

    fileprivate init(
        _ field: FieldDescriptorProto, name: String, comment: String, of message: String, in file: FileModel
    ) {
        number = field.number
        protoName = field.name
        self.name = name
        self.comment = comment
        if let entry = file.index.mapEntry(field), entry.field.count == 2 {
            value = ValueModel(entry.field[1], file.index)
            shape = .map(key: ValueModel(entry.field[0], file.index))
            isRecursive = false
            return
        }
        let value = ValueModel(field, file.index)
        self.value = value
        shape = Self.shape(of: field, value)
        let isSingularMessage = value.kind == .message && !field.isRepeated
        isRecursive = isSingularMessage && file.recursive.isRecursive(".\(message)", field.typeName)
    }

    private static func shape(of field: FieldDescriptorProto, _ value: ValueModel) -> Shape {
        if field.isRepeated {
            let isPackable = value.kind == .scalar || value.kind == .enumeration
            return .list(isPacked: isPackable && field.options?.packed ?? true)
        }
        if let index = field.oneofIndex, !field.proto3Optional { return .oneof(Int(index)) }
        return field.proto3Optional || value.kind == .message ? .optional : .implicit
    }
}
