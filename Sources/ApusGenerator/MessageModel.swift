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

        var name: String {
            switch self {
            case .field(let field, _): field.name
            case .oneof(let oneof, _): oneof.name
            }
        }

        /// What generated code itself uses.
        var storage: String {
            switch self {
            case .field(let field, _): field.storage
            case .oneof(let oneof, _): oneof.name
            }
        }
    }

    let fullName: String
    let name: String
    let comment: String
    let fields: [FieldModel]
    let properties: [Property]
    let path: [Int32]
    let descriptor: DescriptorProto
    let isDeprecated: Bool
    /// The names of the types inside of it.
    let nestedTypes: Set<String>

    init(_ message: DescriptorProto, fullName: String, path: [Int32], in file: FileModel) {
        self.fullName = fullName
        self.path = path
        descriptor = message
        isDeprecated = message.options?.deprecated ?? false
        name = file.swiftName(".\(fullName)").split(separator: ".").last.map(String.init) ?? message.name
        let comment = file.comments.comment(path)
        self.comment = comment.isEmpty ? "The message `\(fullName)`." : comment
        var taken: Set<String> = []
        let fields = Self.fields(of: message, fullName, path, file, &taken)
        self.fields = fields
        let oneofTypes = SwiftName.oneofTypes(of: message)
        nestedTypes = Set((message.nestedType.map(\.name) + message.enumType.map(\.name)).map(SwiftName.upperFirst))
        properties = Self.properties(
            fields,
            message.oneofDecl.enumerated().map { index, oneof in
                let name = SwiftName.property(oneof.name)
                return Oneof(
                    index: index, name: taken.insert(name).inserted ? name : name + "Oneof", type: oneofTypes[index],
                    comment: file.comments.comment(path + [8, Int32(index)]),
                    members: fields.filter { $0.oneofIndex == index })
            })
    }

    private static func fields(
        of message: DescriptorProto, _ fullName: String, _ path: [Int32], _ file: FileModel,
        _ taken: inout Set<String>
    ) -> [FieldModel] {
        var members: Set<String> = []
        return message.field.enumerated().map { index, field in
            let isMember = field.oneofIndex != nil && !field.isProto3Optional
            var name = isMember ? SwiftName.oneofCase(field.name) : SwiftName.property(field.name)
            // Names that differ only in underscores and capitals.
            let isNew = isMember ? members.insert(name).inserted : taken.insert(name).inserted
            if !isNew { name = name.filter { $0 != "`" } + "_\(field.number)" }
            let comment = file.comments.comment(path + [2, Int32(index)])
            return FieldModel(field, protoName: field.name, name: name, comment: comment, of: fullName, in: file)
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
