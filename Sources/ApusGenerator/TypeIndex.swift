// SPDX-License-Identifier: Apache-2.0

/// All message and enum types of a request, by their full name with a leading dot, as descriptors refer to them.
struct TypeIndex {
    struct Entry {
        /// The Swift name, with the types around it.
        let swiftName: String
        /// nil for enums.
        let message: DescriptorProto?
        let enumeration: EnumDescriptorProto?
        let file: String
        let isProto3: Bool
        let package: String
        /// The file's `swift_prefix`.
        let prefix: String?
    }

    private var entries: [String: Entry] = [:]
    private let modules: [String: String]

    /// - Parameter modules: the modules of files that are generated elsewhere.
    init(_ files: [FileDescriptorProto], modules: [String: String] = [:]) {
        self.modules = modules
        for file in files {
            let scope = file.package.isEmpty ? "" : ".\(file.package)"
            var taken: Set<String> = []
            add(file.messageType, file.enumType, scope, around: nil, file, &taken)
        }
    }

    subscript(name: String) -> Entry? { entries[name] }

    /// The entry type of a map field; nil for other fields.
    func mapEntry(_ field: FieldDescriptorProto) -> DescriptorProto? {
        guard field.isRepeated, let message = self[field.typeName]?.message else { return nil }
        return message.options?.mapEntry == true ? message : nil
    }

    /// The prefix of a file's own types: `swift_prefix`, or `Protobuf` for Google's well-known types.
    static func prefix(of file: FileDescriptorProto) -> String {
        file.package == "google.protobuf" ? "Protobuf" : file.options?.swiftPrefix ?? ""
    }

    private mutating func add(
        _ messages: [DescriptorProto], _ enumerations: [EnumDescriptorProto], _ scope: String, around outer: String?,
        _ file: FileDescriptorProto, _ taken: inout Set<String>
    ) {
        for message in messages {
            let isDeprecated = message.options?.deprecated ?? false
            let swiftName = swiftName(message.name, "Message", outer, file, isDeprecated, &taken)
            let inner = "\(scope).\(message.name)"
            entries[inner] = Entry(
                swiftName: swiftName, message: message, enumeration: nil, file: file.name, isProto3: file.isProto3,
                package: file.package, prefix: file.options?.swiftPrefix)
            var takenInside: Set<String> = []
            add(message.nestedType, message.enumType, inner, around: swiftName, file, &takenInside)
        }
        for enumeration in enumerations {
            let isDeprecated = enumeration.options?.deprecated ?? false
            let swiftName = swiftName(enumeration.name, "Enum", outer, file, isDeprecated, &taken)
            entries["\(scope).\(enumeration.name)"] = Entry(
                swiftName: swiftName, message: nil, enumeration: enumeration, file: file.name,
                isProto3: file.isProto3, package: file.package, prefix: file.options?.swiftPrefix)
        }
    }

    private func swiftName(
        _ name: String, _ suffix: String, _ outer: String?, _ file: FileDescriptorProto, _ isDeprecated: Bool,
        _ taken: inout Set<String>
    ) -> String {
        let prefixed = outer == nil ? Self.prefix(of: file) + name : name
        var own = SwiftName.type(prefixed, suffix: suffix, isTopLevel: outer == nil)
        // Names that differ only in their first letter.
        while !taken.insert(own).inserted { own += suffix }
        if isDeprecated { own = SwiftName.hidden(own) }
        if let outer { return "\(outer).\(own)" }
        return modules[file.name].map { "\($0).\(own)" } ?? own
    }
}

extension FileDescriptorProto {
    var isProto3: Bool { syntax == "proto3" }
}
