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
    }

    private var entries: [String: Entry] = [:]

    init(_ files: [FileDescriptorProto]) {
        for file in files {
            let scope = file.package.isEmpty ? "" : ".\(file.package)"
            for message in file.messageType { add(message, scope, around: nil, file) }
            for enumeration in file.enumType { add(enumeration, scope, around: nil, file) }
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
        _ message: DescriptorProto, _ scope: String, around outer: String?, _ file: FileDescriptorProto
    ) {
        let swiftName = Self.swiftName(message.name, "Message", outer, file)
        entries["\(scope).\(message.name)"] = Entry(
            swiftName: swiftName, message: message, enumeration: nil, file: file.name, isProto3: file.isProto3)
        let inner = "\(scope).\(message.name)"
        for nested in message.nestedType { add(nested, inner, around: swiftName, file) }
        for nested in message.enumType { add(nested, inner, around: swiftName, file) }
    }

    private mutating func add(
        _ enumeration: EnumDescriptorProto, _ scope: String, around outer: String?, _ file: FileDescriptorProto
    ) {
        entries["\(scope).\(enumeration.name)"] = Entry(
            swiftName: Self.swiftName(enumeration.name, "Enum", outer, file), message: nil, enumeration: enumeration,
            file: file.name, isProto3: file.isProto3)
    }

    private static func swiftName(
        _ name: String, _ suffix: String, _ outer: String?, _ file: FileDescriptorProto
    ) -> String {
        if let outer { return "\(outer).\(SwiftName.type(name, suffix: suffix, isTopLevel: false))" }
        return SwiftName.type(prefix(of: file) + name, suffix: suffix, isTopLevel: true)
    }
}

extension FileDescriptorProto {
    var isProto3: Bool { syntax == "proto3" }
}

extension FieldDescriptorProto {
    var isRepeated: Bool { label == 3 }
}
