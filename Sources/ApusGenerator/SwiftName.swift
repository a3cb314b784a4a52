// SPDX-License-Identifier: Apache-2.0

/// How names of .proto files become Swift names.
enum SwiftName {
    /// A field or oneof: `user_name` gives `userName`.
    static func property(_ name: String) -> String { escaped(lowerCamel(name), taken: takenProperties) }

    /// A method of a service: `GetUser` gives `getUser`.
    static func method(_ name: String) -> String { escaped(lowerCamel(name), taken: takenMethods) }

    /// A case of an enum.
    static func enumCase(_ name: String) -> String { escaped(lowerCamel(name), taken: takenCases) }

    /// A case of a oneof. A oneof is always optional, so `none` and `some` would mean something else.
    static func oneofCase(_ name: String) -> String {
        escaped(lowerCamel(name), taken: takenCases.union(["none", "some"]))
    }

    /// A message or enum: its own name, with `suffix` when that would hide a type that generated code mentions.
    static func type(_ name: String, suffix: String, isTopLevel: Bool) -> String {
        let upper = upperFirst(name)
        let isTaken = mentionedTypes.contains(upper) || isTopLevel && topLevelTypes.contains(upper)
        return isTaken ? upper + suffix : upper
    }

    /// The enums of a message's oneofs, in their order.
    static func oneofTypes(of message: DescriptorProto) -> [String] {
        var nested = Set((message.nestedType.map(\.name) + message.enumType.map(\.name)).map(upperFirst))
        return message.oneofDecl.map { oneof in
            let type = oneofType(oneof.name, besides: nested)
            nested.insert(type)
            return type
        }
    }

    /// The enum of a oneof: `payment_method` gives `PaymentMethod`.
    static func oneofType(_ name: String, besides nested: Set<String>) -> String {
        let upper = upperFirst(lowerCamel(name))
        return mentionedTypes.contains(upper) || nested.contains(upper) ? upper + "OneOf" : upper
    }

    /// The name of an enum's value without the enum's own name: `STATE_ACTIVE` of `State` gives `ACTIVE`.
    static func withoutPrefix(_ value: String, of enumeration: String) -> String {
        let prefix = upperSnake(enumeration) + "_"
        guard value.uppercased().hasPrefix(prefix), value.count > prefix.count else { return value }
        let rest = value.dropFirst(prefix.count)
        return rest.first?.isNumber == true ? value : String(rest)
    }

    /// The name that generated code uses for what is deprecated, so that it does not warn about itself.
    static func hidden(_ name: String) -> String { "_" + name.filter { $0 != "`" } }

    /// Text as a Swift literal.
    static func literal(_ text: String) -> String {
        var literal = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": literal += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                literal += "\\u{\(String(scalar.value, radix: 16))}"
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "\""
    }

    static func lowerCamel(_ name: String) -> String {
        let words = name.split(separator: "_").map(String.init)
        // A name of underscores alone: a single one has a meaning of its own.
        guard let first = words.first else { return name + "_" }
        return lowerFirst(first) + words.dropFirst().map { upperFirst(lowerShouting($0)) }.joined()
    }

    static func upperFirst(_ word: String) -> String { word.prefix(1).uppercased() + word.dropFirst() }

    /// `GetUser` gives `getUser`, `URL` gives `url`, `URLFetch` gives `urlFetch`.
    private static func lowerFirst(_ word: String) -> String {
        let run = word.prefix { $0.isUppercase }
        guard run.count > 1, run.count < word.count else { return run.lowercased() + word.dropFirst(run.count) }
        let kept = word.dropFirst(run.count).first?.isNumber == true ? run.count : run.count - 1
        return word.prefix(kept).lowercased() + word.dropFirst(kept)
    }

    private static func lowerShouting(_ word: String) -> String {
        word.contains { $0.isLowercase } ? word : word.lowercased()
    }

    /// `OrderState` gives `ORDER_STATE`.
    private static func upperSnake(_ name: String) -> String {
        var snake = ""
        var previous: Character = "_"
        for character in name {
            if character.isUppercase, previous.isLowercase || previous.isNumber { snake += "_" }
            snake += character.uppercased()
            previous = character
        }
        return snake
    }

    private static func escaped(_ name: String, taken: Set<String>) -> String {
        if taken.contains(name) { return name + "_" }
        if name.first?.isNumber == true { return "_" + name }
        return keywords.contains(name) ? "`\(name)`" : name
    }
}
