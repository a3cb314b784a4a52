// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

extension MessageGenerator {
    func reading(_ writer: inout CodeWriter) {
        writer.block("\(access)init(reading fields: FieldReader)") { writer in
            for property in model.properties {
                switch property {
                case .field(let field, let word): writer.line("\(target(field.name)) = \(read(field, word))")
                case .oneof(let oneof, let word): read(oneof, word, &writer)
                }
            }
            writer.line("unknownFields = fields.unknownFields()")
        }
    }

    func writing(_ writer: inout CodeWriter) {
        writer.block("\(access)func write(to fields: FieldWriter)") { writer in
            for property in model.properties {
                switch property {
                case .field(let field, let word): write(field, word, &writer)
                case .oneof(let oneof, let word): write(oneof, word, &writer)
                }
            }
            writer.line("fields.unknownFields(unknownFields)")
        }
    }

    /// A property as its own methods name it: `self.` where a parameter hides it.
    private func target(_ name: String) -> String { name == "fields" ? "self.fields" : name }

    private func read(_ field: FieldModel, _ word: Int) -> String {
        switch field.shape {
        case .implicit, .oneof: return "fields.\(field.value.verb)(at: \(word))"
        case .optional: return "fields.\(field.value.optionalVerb)(at: \(word))"
        case .list: return "fields.\(field.value.listVerb)(at: \(word))"
        case .map(let key):
            let (keyWord, valueWord) = entryWords(key, field.value)
            let absent = field.value.kind == .message ? " ?? \(field.value.defaultValue)" : ""
            return "fields.map(at: \(word)) { ($0.\(key.verb)(at: \(keyWord)), "
                + "$0.\(field.value.verb)(at: \(valueWord))\(absent)) }"
        }
    }

    private func read(_ oneof: MessageModel.Oneof, _ word: Int, _ writer: inout CodeWriter) {
        writer.line("switch fields.oneof(at: \(word)) {")
        for member in oneof.members {
            let absent = member.value.kind == .message ? " ?? \(member.value.defaultValue)" : ""
            writer.line(
                "case \(member.number): \(target(oneof.name)) = "
                    + ".\(member.name)(fields.\(member.value.verb)(at: \(word))\(absent))")
        }
        writer.line("default: \(target(oneof.name)) = nil")
        writer.line("}")
    }

    private func write(_ field: FieldModel, _ word: Int, _ writer: inout CodeWriter) {
        let name = target(field.name)
        switch field.shape {
        case .implicit, .oneof: writer.line("fields.\(field.value.verb)(\(name), at: \(word))")
        case .optional: writer.line("fields.\(field.value.optionalVerb)(\(name), at: \(word))")
        case .list: writer.line("fields.\(field.value.listVerb)(\(name), at: \(word))")
        case .map(let key):
            let (keyWord, valueWord) = entryWords(key, field.value)
            let call = "fields.map(\(name), at: \(word), number: \(field.number), of: Self.schema)"
            writer.line("\(call) { entry, key, value in")
            writer.indented { writer in
                writer.line("entry.\(key.verb)(key, at: \(keyWord))")
                writer.line("entry.\(field.value.verb)(value, at: \(valueWord))")
            }
            writer.line("}")
        }
    }

    private func write(_ oneof: MessageModel.Oneof, _ word: Int, _ writer: inout CodeWriter) {
        writer.line("switch \(target(oneof.name)) {")
        for member in oneof.members {
            writer.line("case .\(member.name)(let value):")
            writer.indented { writer in
                writer.line("fields.oneof(\(member.number), at: \(word))")
                writer.line("fields.\(member.value.verb)(value, at: \(word))")
            }
        }
        writer.line("case nil: break")
        writer.line("}")
    }

    /// The words of key and value in the struct of a map's entry.
    private func entryWords(_ key: ValueModel, _ value: ValueModel) -> (Int, Int) {
        let words = FieldPlace.layout([key.place(hasPresence: false), value.place(hasPresence: false)]).words
        return (words[0], words[1])
    }
}
