// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

extension MessageGenerator {
    func reading(_ writer: inout CodeWriter) {
        writer.block("\(access)init(reading fields: FieldReader)") { writer in
            for property in model.properties {
                switch property {
                case .field(let field, let word): writer.line("\(target(field.storage)) = \(read(field, word))")
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

    private func read(_ field: FieldModel, _ word: Int) -> String { field.reading("fields", at: word) }

    private func read(_ oneof: MessageModel.Oneof, _ word: Int, _ writer: inout CodeWriter) {
        writer.line("switch fields.oneof(at: \(word)) {")
        for member in oneof.members {
            let absent = member.value.isMessage ? " ?? \(member.value.defaultValue)" : ""
            writer.line(
                "case \(member.number): \(target(oneof.name)) = "
                    + ".\(member.storage)(fields.\(member.value.verb)(at: \(word))\(absent))")
        }
        writer.line("default: \(target(oneof.name)) = nil")
        writer.line("}")
    }

    private func write(_ field: FieldModel, _ word: Int, _ writer: inout CodeWriter) {
        writer.lines(field.writing(target(field.storage), to: "fields", at: word, schema: "Self.schema"))
    }

    private func write(_ oneof: MessageModel.Oneof, _ word: Int, _ writer: inout CodeWriter) {
        writer.line("switch \(target(oneof.name)) {")
        for member in oneof.members {
            writer.line("case .\(member.storage)(let value):")
            writer.indented { writer in
                guard member.value.kind != .group else {
                    return writer.line("fields.group(value, number: \(member.number))")
                }
                writer.line("fields.oneof(\(member.number), at: \(word))")
                writer.line("fields.\(member.value.verb)(value, at: \(word))")
            }
        }
        writer.line("case nil: break")
        writer.line("}")
    }
}
