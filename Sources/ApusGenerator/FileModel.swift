// SPDX-License-Identifier: Apache-2.0

/// One file to be generated, with all that is known around it.
struct FileModel {
    let descriptor: FileDescriptorProto
    let options: GeneratorOptions
    let index: TypeIndex
    let comments: SourceComments
    let recursive: RecursiveFields
    let embedded: EmbeddedDescriptors

    init(
        _ descriptor: FileDescriptorProto, _ index: TypeIndex, _ options: GeneratorOptions,
        _ embedded: EmbeddedDescriptors
    ) {
        self.descriptor = descriptor
        self.embedded = embedded
        self.options = options
        self.index = index
        comments = SourceComments(descriptor)
        recursive = RecursiveFields(descriptor)
    }

    /// The full name of something in the file's package.
    func fullName(_ name: String) -> String {
        descriptor.package.isEmpty ? name : "\(descriptor.package).\(name)"
    }

    /// The Swift name of a type by its full name with a leading dot.
    func swiftName(_ name: String) -> String {
        options.messages == .apus ? index[name]?.swiftName ?? name : SwiftProtobufName.message(name, index)
    }

    /// The modules of the types that it uses, where they are generated elsewhere.
    var modules: [String] {
        let used = descriptor.messageType.flatMap(\.usedTypes) + descriptor.extension.flatMap(\.usedTypes)
        let methods = descriptor.service.flatMap(\.method).flatMap { [$0.inputType, $0.outputType] }
        let files = Set((used + methods).compactMap { index[$0]?.file }).subtracting([descriptor.name])
        return Set(files.compactMap { options.modules(besides: [])[$0] }).subtracting(options.imports).sorted()
    }

    /// What stands before a declaration.
    var access: String { options.visibility.prefix }

    /// Whether its Swift file carries the serialized descriptor.
    var embedsDescriptor: Bool { options.server && !descriptor.service.isEmpty }

    /// The path of the Swift file.
    var outputName: String {
        let path = descriptor.name.hasSuffix(".proto") ? String(descriptor.name.dropLast(6)) : descriptor.name
        let name =
            switch options.fileNaming {
            case .path: path
            case .underscores: path.split(separator: "/").joined(separator: "_")
            case .base: path.split(separator: "/").last.map(String.init) ?? path
            }
        return name + ".apus.swift"
    }
}

extension DescriptorProto {
    /// The full names of the types that its fields and extensions, and those of messages inside, refer to.
    fileprivate var usedTypes: [String] {
        (field + self.extension).flatMap(\.usedTypes) + nestedType.flatMap(\.usedTypes)
    }
}

extension FieldDescriptorProto {
    fileprivate var usedTypes: [String] { [typeName, extendee].filter { !$0.isEmpty } }
}
