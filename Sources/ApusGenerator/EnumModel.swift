// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// An enum as generated code has it.
struct EnumModel {
    struct Case {
        let name: String
        let protoName: String
        let number: Int32
        let comment: String
        let isDeprecated: Bool
        /// The case that has the same number; nil for the first of its number.
        let original: String?

        /// What generated code itself uses.
        var storage: String { isDeprecated ? SwiftName.hidden(name) : name }
    }

    let fullName: String
    let name: String
    let comment: String
    let cases: [Case]
    let isClosed: Bool
    let isDeprecated: Bool

    init(_ enumeration: EnumDescriptorProto, fullName: String, path: [Int32], in file: FileModel) {
        self.fullName = fullName
        isClosed = file.index[".\(fullName)"]?.features.isClosed ?? false
        isDeprecated = enumeration.options?.deprecated ?? false
        name = file.swiftName(".\(fullName)").split(separator: ".").last.map(String.init) ?? enumeration.name
        let comment = file.comments.comment(path)
        self.comment = comment.isEmpty ? "The enum `\(fullName)`." : comment
        var originals: [Int32: String] = [:]
        cases = zip(enumeration.value, Self.caseNames(enumeration)).enumerated().map { index, value in
            let number = value.0.number ?? 0
            let isDeprecated = value.0.options?.deprecated ?? false
            let original = originals[number]
            originals[number] = original ?? (isDeprecated ? SwiftName.hidden(value.1) : value.1)
            return Case(
                name: value.1, protoName: value.0.name, number: number,
                comment: file.comments.comment(path + [2, Int32(index)]), isDeprecated: isDeprecated,
                original: original)
        }
    }

    /// The case that stands for a value in generated code: the first of its number, by the name that does not warn.
    static func reference(to value: EnumValueDescriptorProto, in enumeration: EnumDescriptorProto) -> String? {
        let number = value.number ?? 0
        guard let index = enumeration.value.firstIndex(where: { ($0.number ?? 0) == number }) else { return nil }
        let name = caseNames(enumeration)[index]
        return enumeration.value[index].options?.deprecated == true ? SwiftName.hidden(name) : name
    }

    /// The Swift names of the values, in their order.
    static func caseNames(_ enumeration: EnumDescriptorProto) -> [String] {
        var names: Set<String> = []
        var originals: Set<String> = []
        return enumeration.value.map { value in
            var name = SwiftName.enumCase(SwiftName.withoutPrefix(value.name, of: enumeration.name))
            if !names.insert(name).inserted { name = SwiftName.enumCase(value.name) }
            if !names.insert(name).inserted, originals.contains(name) { name += "_\(value.number ?? 0)" }
            names.insert(name)
            originals.insert(name)
            return name
        }
    }
}
