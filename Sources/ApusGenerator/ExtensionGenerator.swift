// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// Writes the extensions that a file or a message declares, as constants to read and set them with.
struct ExtensionGenerator {
    private struct Model {
        let field: FieldModel
        let extendee: String
        let isMessageSet: Bool
    }

    private let models: [Model]
    private let file: FileModel
    private var access: String { file.access }

    /// - Parameter path: where the extensions stand in the file.
    init(_ extensions: [FieldDescriptorProto], path: [Int32], _ file: FileModel) {
        self.file = file
        var taken: Set<String> = ["all"]
        models = extensions.enumerated().map { index, field in
            var name = SwiftName.property(field.name)
            if !taken.insert(name).inserted { name = name.filter { $0 != "`" } + "_\(field.number)" }
            let scope = file.scope(of: path)
            let model = FieldModel(
                field, protoName: scope.isEmpty ? field.name : "\(scope).\(field.name)", name: name,
                comment: file.comments.comment(path + [Int32(index)]), of: scope, in: file)
            let extendee = file.index[field.extendee]
            return Model(
                field: model, extendee: file.swiftName(field.extendee, in: scope),
                isMessageSet: extendee?.message?.options?.messageSetWireFormat ?? false)
        }
    }

    /// The extensions of a file: `unittest.proto` gives `UnittestExtensions`.
    func declareOutside(_ writer: inout CodeWriter) {
        let base = file.descriptor.name.split(separator: "/").last.map(String.init) ?? file.descriptor.name
        let stem = base.hasSuffix(".proto") ? String(base.dropLast(6)) : base
        let letters = String(stem.map { $0.isLetter || $0.isNumber ? $0 : "_" })
        let prefix = TypeIndex.prefix(of: file.descriptor)
        declare(prefix + SwiftName.upperFirst(SwiftName.lowerCamel(letters)) + "Extensions", &writer)
    }

    func declareInside(of message: MessageModel, _ writer: inout CodeWriter) {
        declare(message.nestedTypes.contains("Extensions") ? "ExtensionFields" : "Extensions", &writer)
    }

    private func declare(_ name: String, _ writer: inout CodeWriter) {
        guard !models.isEmpty else { return }
        writer.line()
        writer.doc("Extensions that the .proto file declares here: `message[\(name).\(models[0].field.name)]`.")
        writer.block("\(access)enum \(name)") { writer in
            for model in models { declare(model, &writer) }
            writer.line()
            writer.doc("All of these, for a `TypeRegistry`.")
            let names = models.map { $0.field.storage }.joined(separator: ", ")
            writer.line("\(access)static let all: [any AnyProtobufExtension] = [\(names)]")
        }
    }

    private func declare(_ model: Model, _ writer: inout CodeWriter) {
        let field = model.field
        let type = "ProtobufExtension<\(model.extendee), \(field.type)>"
        writer.doc(field.comment.isEmpty ? "`\(field.protoName)` of ``\(model.extendee)``" : field.comment)
        if field.isDeprecated {
            writer.line("@available(*, deprecated)")
            writer.line("\(access)static var \(field.name): \(type) { \(field.storage) }")
        }
        let write = field.writing("$0", to: "$1", at: FieldPlace.headerWords, schema: "")
        let read = field.reading("$0", at: FieldPlace.headerWords)
        writer.line("\(field.isDeprecated ? "private " : access)static let \(field.storage) = \(type)(")
        writer.indented { writer in
            writer.line("\(field.schemaRow)\(model.isMessageSet ? ", isMessageSet: true" : ""),")
            writer.line("read: { \(read) }, write: { \(write.joined()) })")
        }
    }
}

extension FileModel {
    /// The full name of the message around what stands at `path`, or the file's package.
    fileprivate func scope(of path: [Int32]) -> String {
        guard path.first == 4, path.count > 1 else { return descriptor.package }
        var message = descriptor.messageType[Int(path[1])]
        var name = fullName(message.name)
        for index in stride(from: 2, to: path.count - 1, by: 2) where path[index] == 3 {
            message = message.nestedType[Int(path[index + 1])]
            name += ".\(message.name)"
        }
        return name
    }
}
