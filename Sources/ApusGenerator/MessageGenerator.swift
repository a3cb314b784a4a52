// SPDX-License-Identifier: Apache-2.0

/// Writes a message: a struct with its fields, and what the runtime needs of it.
struct MessageGenerator {
    let model: MessageModel
    let file: FileModel
    var access: String { file.access }

    init(_ model: MessageModel, _ file: FileModel) {
        self.model = model
        self.file = file
    }

    func declare(_ writer: inout CodeWriter) {
        writer.doc(model.comment)
        writer.block("\(access)struct \(model.name): ProtobufMessage") { writer in
            for property in model.properties { declare(property, &writer) }
            if !model.properties.isEmpty { writer.line() }
            writer.doc("Fields that the .proto file does not name.")
            writer.line("\(access)var unknownFields = UnknownFields()")
            writer.line()
            writer.line("\(access)init() {}")
            memberwiseInitializer(&writer)
            defaults(&writer)
            nestedTypes(&writer)
            ExtensionGenerator(model.descriptor.extension, path: model.path + [6], file).declareInside(
                of: model, &writer)
        }
        if model.isDeprecated { writer.deprecatedAlias(model.name, access) }
    }

    /// What the runtime needs of the message and those nested in it: apart, since nobody reads it.
    func coding(_ writer: inout CodeWriter) {
        writer.line()
        writer.block("extension \(file.swiftName(".\(model.fullName)"))") { writer in
            schema(&writer)
            writer.line()
            reading(&writer)
            writer.line()
            writing(&writer)
        }
        for message in nestedMessages { message.coding(&writer) }
    }

    private var nestedMessages: [MessageGenerator] {
        model.descriptor.nestedType.enumerated().filter { $0.element.options?.mapEntry != true }.map {
            let nested = MessageModel(
                $0.element, fullName: "\(model.fullName).\($0.element.name)",
                path: model.path + [3, Int32($0.offset)], in: file)
            return MessageGenerator(nested, file)
        }
    }

    private func declare(_ property: MessageModel.Property, _ writer: inout CodeWriter) {
        switch property {
        case .field(let field, _): declare(field, &writer)
        case .oneof(let oneof, _):
            writer.doc(oneof.comment)
            writer.line("\(access)var \(oneof.name): \(oneof.type)?")
        }
    }

    private func declare(_ field: FieldModel, _ writer: inout CodeWriter) {
        writer.doc(field.comment)
        let wrapper = field.isRecursive ? "@Indirect " : ""
        // An optional starts as nil without saying so.
        let value = field.type.hasSuffix("?") && !field.isRecursive ? "" : " = \(field.defaultValue)"
        guard field.isDeprecated else {
            return writer.line("\(wrapper)\(access)var \(field.name): \(field.type)\(value)")
        }
        writer.line("@available(*, deprecated)")
        writer.block("\(access)var \(field.name): \(field.type)") { writer in
            writer.line("get { \(field.storage) }")
            writer.line("set { \(field.storage) = newValue }")
        }
        writer.line("\(wrapper)private var \(field.storage): \(field.type)\(value)")
    }

    /// The values of absent fields that the .proto file gives another default than zero (proto2).
    private func defaults(_ writer: inout CodeWriter) {
        for field in model.fields {
            guard case .optional = field.shape, let value = field.explicitDefault else { continue }
            let name = field.name.filter { $0 != "`" } + "OrDefault"
            writer.line()
            writer.doc("`\(field.protoName)`, or its default `\(value)` when it is absent.")
            if field.isDeprecated { writer.line("@available(*, deprecated)") }
            writer.line("\(access)var \(name): \(field.value.swiftType) { \(field.storage) ?? \(value) }")
        }
    }

    private func memberwiseInitializer(_ writer: inout CodeWriter) {
        guard !model.properties.isEmpty else { return }
        let parameters = model.properties.map { property in
            switch property {
            case .field(let field, _) where field.isRequired: "\(field.name): \(field.type)"
            case .field(let field, _): "\(field.name): \(field.type) = \(field.defaultValue)"
            case .oneof(let oneof, _): "\(oneof.name): \(oneof.type)? = nil"
            }
        }
        writer.line()
        writer.doc("A message with these fields.")
        let flat = "\(access)init(\(parameters.joined(separator: ", ")))"
        if flat.count <= 100 { return writer.block(flat, assignments) }
        writer.line("\(access)init(")
        writer.indented { writer in
            writer.lines(parameters.dropLast().map { $0 + "," } + parameters.suffix(1))
        }
        writer.block(")", assignments)
    }

    private func assignments(_ writer: inout CodeWriter) {
        for property in model.properties { writer.line("self.\(property.storage) = \(property.name)") }
    }

    private func nestedTypes(_ writer: inout CodeWriter) {
        for property in model.properties {
            guard case .oneof(let oneof, _) = property else { continue }
            writer.line()
            declare(oneof, &writer)
        }
        for (index, enumeration) in model.descriptor.enumType.enumerated() {
            let nested = EnumModel(
                enumeration, fullName: "\(model.fullName).\(enumeration.name)",
                path: model.path + [4, Int32(index)], in: file)
            writer.line()
            EnumGenerator(nested, file).declare(&writer)
        }
        for message in nestedMessages {
            writer.line()
            message.declare(&writer)
        }
    }

    private func declare(_ oneof: MessageModel.Oneof, _ writer: inout CodeWriter) {
        writer.doc("What `\(oneof.name)` can be.")
        writer.block("\(access)enum \(oneof.type): Sendable, Hashable") { writer in
            for member in oneof.members {
                writer.doc(member.comment)
                writer.line(
                    "\(member.isRecursive ? "indirect " : "")case \(member.storage)(\(member.value.swiftType))")
            }
            for member in oneof.members where member.isDeprecated {
                writer.line()
                writer.line("@available(*, deprecated)")
                writer.line(
                    "\(access)static func \(member.name)(_ value: \(member.value.swiftType)) -> \(oneof.type) "
                        + "{ .\(member.storage)(value) }")
            }
        }
    }

    private func schema(_ writer: inout CodeWriter) {
        guard !model.fields.isEmpty else {
            writer.line("\(access)static let schema = MessageSchema(\"\(model.fullName)\", [])")
            return
        }
        writer.line("\(access)static let schema = MessageSchema(\"\(model.fullName)\", [")
        writer.indented { writer in writer.lines(model.fields.map { $0.schemaRow + "," }) }
        writer.line("])")
    }
}
