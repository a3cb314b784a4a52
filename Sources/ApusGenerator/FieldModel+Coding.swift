// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

// The calls that read a field from its struct and write it there: the same for messages and extensions.
extension FieldModel {
    /// An expression with the field's value.
    func reading(_ fields: String, at word: Int) -> String {
        switch shape {
        case .implicit, .oneof: return "\(fields).\(value.verb)(at: \(word))"
        case .required:
            let absent = value.isMessage ? " ?? \(value.defaultValue)" : ""
            return "\(fields).\(value.verb)(at: \(word))\(absent)"
        case .optional: return "\(fields).\(value.optionalVerb)(at: \(word))"
        case .list: return "\(fields).\(value.listVerb)(at: \(word))"
        case .map(let key):
            let (keyWord, valueWord) = Self.entryWords(key, value)
            let absent = value.isMessage ? " ?? \(value.defaultValue)" : ""
            return "\(fields).map(at: \(word)) { ($0.\(key.verb)(at: \(keyWord)), "
                + "$0.\(value.verb)(at: \(valueWord))\(absent)) }"
        }
    }

    /// The statement that writes what `source` names.
    func writing(_ source: String, to fields: String, at word: Int, schema: String) -> [String] {
        switch shape {
        case .optional where value.kind == .group, .required where value.kind == .group:
            return ["\(fields).group(\(source), number: \(number))"]
        case .list where value.kind == .group: return ["\(fields).groups(\(source), number: \(number))"]
        case .implicit, .oneof: return ["\(fields).\(value.verb)(\(source), at: \(word))"]
        case .optional, .required: return ["\(fields).\(value.optionalVerb)(\(source), at: \(word))"]
        case .list: return ["\(fields).\(value.listVerb)(\(source), at: \(word))"]
        case .map(let key):
            let (keyWord, valueWord) = Self.entryWords(key, value)
            let call = "\(fields).map(\(source), at: \(word), number: \(number), of: \(schema))"
            return [
                "\(call) { entry, key, value in", "    entry.\(key.verb)(key, at: \(keyWord))",
                "    entry.\(value.verb)(value, at: \(valueWord))", "}",
            ]
        }
    }

    /// The words of key and value in the struct of a map's entry.
    private static func entryWords(_ key: ValueModel, _ value: ValueModel) -> (Int, Int) {
        let words = FieldPlace.layout([key.place(hasPresence: false), value.place(hasPresence: false)]).words
        return (words[0], words[1])
    }
}
