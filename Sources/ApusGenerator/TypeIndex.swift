// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// All message and enum types of a request, by their full name with a leading dot, as descriptors refer to them.
struct TypeIndex {
    struct Entry {
        /// The Swift name, with the types around it.
        let swiftName: String
        /// nil for enums.
        let message: DescriptorProto?
        let enumeration: EnumDescriptorProto?
        let file: String
        let features: EditionFeatures
        let package: String
        /// The file's `swift_prefix`.
        let prefix: String?
    }

    private var entries: [String: Entry] = [:]
    private var fileFeatures: [String: EditionFeatures] = [:]
    /// The names of the types inside of messages, by the messages' Swift names.
    private var inside: [String: Set<String>] = [:]
    private let modules: [String: String]

    /// - Parameter modules: the modules of files that are generated elsewhere.
    init(_ files: [FileDescriptorProto], modules: [String: String] = [:]) {
        self.modules = modules
        for file in files {
            let scope = file.package.isEmpty ? "" : ".\(file.package)"
            var taken: Set<String> = []
            // An unknown edition is refused in files to be generated; others are read as the newest.
            let features = file.features ?? EditionFeatures()
            fileFeatures[file.name] = features
            add(file.messageType, file.enumType, scope, around: nil, file, features, &taken)
        }
    }

    subscript(name: String) -> Entry? { entries[name] }

    /// Whether a type's Swift name means something else where it stands: a type inside of one of the messages around.
    ///
    /// - Parameter scope: the full name of the message that the name stands in.
    func isHidden(_ entry: Entry, in scope: String) -> Bool {
        guard modules[entry.file] == nil, var around = self[".\(scope)"]?.swiftName else { return false }
        let name = entry.swiftName.prefix { $0 != "." }
        while true {
            if inside[around]?.contains(String(name)) == true { return true }
            guard let dot = around.lastIndex(of: ".") else { return false }
            around = String(around[..<dot])
        }
    }

    /// The entry type of a map field; nil for other fields.
    func mapEntry(_ field: FieldDescriptorProto) -> DescriptorProto? {
        guard field.isRepeated, let message = self[field.typeName]?.message else { return nil }
        return message.options?.mapEntry == true ? message : nil
    }

    /// What holds for a field, or for an extension.
    ///
    /// - Parameters:
    ///   - scope: the full name of the message that it stands in, or the file's package.
    ///   - file: the path of the file that it stands in.
    func features(
        of field: FieldDescriptorProto, in scope: String, _ file: String
    ) -> EditionFeatures {
        let outer = self[".\(scope)"]
        var features = outer?.features ?? fileFeatures[file] ?? EditionFeatures()
        if let index = field.oneofIndex, let oneofs = outer?.message?.oneofDecl, field.extendee.isEmpty,
            oneofs.indices.contains(Int(index))
        {
            features = features.refined(by: oneofs[Int(index)].options?.features)
        }
        return features.refined(by: field.options?.features)
    }

    /// The prefix of a file's own types: `swift_prefix`, or `Protobuf` for Google's well-known types.
    static func prefix(of file: FileDescriptorProto) -> String {
        file.package == "google.protobuf" ? "Protobuf" : file.options?.swiftPrefix ?? ""
    }

    private mutating func add(
        _ messages: [DescriptorProto], _ enumerations: [EnumDescriptorProto], _ scope: String, around outer: String?,
        _ file: FileDescriptorProto, _ outerFeatures: EditionFeatures, _ taken: inout Set<String>
    ) {
        for message in messages {
            let isDeprecated = message.options?.deprecated ?? false
            let swiftName = swiftName(message.name, "Message", outer, file, isDeprecated, &taken)
            let inner = "\(scope).\(message.name)"
            let features = outerFeatures.refined(by: message.options?.features)
            entries[inner] = Entry(
                swiftName: swiftName, message: message, enumeration: nil, file: file.name, features: features,
                package: file.package, prefix: file.options?.swiftPrefix)
            var takenInside: Set<String> = []
            add(message.nestedType, message.enumType, inner, around: swiftName, file, features, &takenInside)
            // The oneof around a proto3 optional is none in Swift.
            let oneofs = Set(message.field.filter { !$0.isProto3Optional }.compactMap(\.oneofIndex))
            let types = zip(Int32(0)..., SwiftName.oneofTypes(of: message)).filter { oneofs.contains($0.0) }
            inside[swiftName] = takenInside.union(types.map(\.1))
        }
        for enumeration in enumerations {
            let isDeprecated = enumeration.options?.deprecated ?? false
            let swiftName = swiftName(enumeration.name, "Enum", outer, file, isDeprecated, &taken)
            entries["\(scope).\(enumeration.name)"] = Entry(
                swiftName: swiftName, message: nil, enumeration: enumeration, file: file.name,
                features: outerFeatures.refined(by: enumeration.options?.features), package: file.package,
                prefix: file.options?.swiftPrefix)
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
    /// What its edition and options say; nil for an edition that is not known.
    var features: EditionFeatures? {
        EditionFeatures(syntax: syntax, edition: edition, options: options?.features)
    }
}
