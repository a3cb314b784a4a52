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
        recursive = RecursiveFields(descriptor, index)
    }

    /// The full name of something in the file's package.
    func fullName(_ name: String) -> String {
        descriptor.package.isEmpty ? name : "\(descriptor.package).\(name)"
    }

    /// The Swift name of a type where it is used: by way of an alias where a type inside of a message hides it.
    ///
    /// - Parameters:
    ///   - name: the full name with a leading dot.
    ///   - scope: the full name of the message around the use, or the package.
    func swiftName(_ name: String, in scope: String) -> String {
        guard let entry = index[name], index.isHidden(entry, in: scope) else { return swiftName(name) }
        return alias(of: entry) + entry.swiftName.drop { $0 != "." }
    }

    /// The types that fields of the file name by aliases, with the aliases.
    var aliases: [(name: String, type: String)] {
        var types: [String: String] = [:]
        for (name, scope) in descriptor.namedTypes(in: descriptor.package) {
            guard let entry = index[name], index.isHidden(entry, in: scope) else { continue }
            types[alias(of: entry)] = String(entry.swiftName.prefix { $0 != "." })
        }
        return types.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// `_users_v1_users_User`: with the file's path, since several files of a module may have one for a type.
    private func alias(of entry: TypeIndex.Entry) -> String {
        let path = String(descriptor.name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
        return "_\(path)_\(entry.swiftName.prefix { $0 != "." })"
    }

    /// The Swift name of a type by its full name with a leading dot, as it is outside of messages.
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

extension FileDescriptorProto {
    /// The types that fields and extensions name, each with the message around, or the package.
    fileprivate func namedTypes(in scope: String) -> [(name: String, scope: String)] {
        let prefix = scope.isEmpty ? "" : scope + "."
        return self.extension.flatMap(\.usedTypes).map { ($0, scope) }
            + messageType.flatMap { $0.namedTypes(in: prefix + $0.name) }
    }
}

extension DescriptorProto {
    fileprivate func namedTypes(in scope: String) -> [(name: String, scope: String)] {
        (field + self.extension).flatMap(\.usedTypes).map { ($0, scope) }
            + nestedType.flatMap { entry in
                // What a map's entry names stands in the message around.
                let isMap = entry.options?.mapEntry == true
                return isMap
                    ? entry.field.flatMap(\.usedTypes).map { ($0, scope) }
                    : entry.namedTypes(in: "\(scope).\(entry.name)")
            }
    }

    /// The full names of the types that its fields and extensions, and those of messages inside, refer to.
    fileprivate var usedTypes: [String] {
        (field + self.extension).flatMap(\.usedTypes) + nestedType.flatMap(\.usedTypes)
    }
}

extension FieldDescriptorProto {
    fileprivate var usedTypes: [String] { [typeName, extendee].filter { !$0.isEmpty } }
}
