// SPDX-License-Identifier: Apache-2.0

/// An enum as generated code has it.
struct EnumModel {
    struct Case {
        let name: String
        let protoName: String
        let number: Int32
        let comment: String
        /// The case that has the same number; nil for the first of its number.
        let original: String?
    }

    let fullName: String
    let name: String
    let comment: String
    let cases: [Case]

    init(_ enumeration: EnumDescriptorProto, fullName: String, path: [Int32], in file: FileModel) {
        self.fullName = fullName
        name = file.swiftName(".\(fullName)").split(separator: ".").last.map(String.init) ?? enumeration.name
        let comment = file.comments.comment(path)
        self.comment = comment.isEmpty ? "The enum `\(fullName)`." : comment
        var names: Set<String> = []
        var originals: [Int32: String] = [:]
        cases = enumeration.value.enumerated().map { index, value in
            var name = SwiftName.enumCase(SwiftName.withoutPrefix(value.name, of: enumeration.name))
            if !names.insert(name).inserted { name = SwiftName.enumCase(value.name) }
            if !names.insert(name).inserted, originals.values.contains(name) { name += "_\(value.number)" }
            let original = originals[value.number]
            originals[value.number] = original ?? name
            return Case(
                name: name, protoName: value.name, number: value.number,
                comment: file.comments.comment(path + [2, Int32(index)]), original: original)
        }
    }
}

/// Writes an enum: a case for each number, and one for the numbers that have no name.
struct EnumGenerator {
    private let model: EnumModel
    private let access: String

    init(_ model: EnumModel, _ file: FileModel) {
        self.model = model
        access = file.access
    }

    func declare(_ writer: inout CodeWriter) {
        writer.doc(model.comment)
        writer.block("\(access)enum \(model.name): ProtobufEnum") { writer in
            cases(&writer)
            writer.line()
            schema(&writer)
            writer.line()
            fromNumber(&writer)
            writer.line()
            toNumber(&writer)
        }
    }

    private var originals: [EnumModel.Case] { model.cases.filter { $0.original == nil } }

    private func cases(_ writer: inout CodeWriter) {
        for item in originals {
            writer.doc(item.comment)
            writer.line("case \(item.name)")
        }
        writer.doc("A number that the .proto file does not name.")
        writer.line("case unrecognized(Int32)")
        for alias in model.cases {
            guard let original = alias.original else { continue }
            writer.line()
            writer.doc(alias.comment.isEmpty ? "Another name of ``\(original)``." : alias.comment)
            writer.line("\(access)static var \(alias.name): \(model.name) { .\(original) }")
        }
    }

    private func schema(_ writer: inout CodeWriter) {
        writer.line("\(access)static let schema = EnumSchema(\"\(model.fullName)\", [")
        writer.indented { writer in
            for item in model.cases { writer.line("(\(item.number), \"\(item.protoName)\"),") }
        }
        writer.line("])")
    }

    private func fromNumber(_ writer: inout CodeWriter) {
        writer.block("\(access)init(rawValue: Int32)") { writer in
            writer.line("switch rawValue {")
            for item in originals { writer.line("case \(item.number): self = .\(item.name)") }
            writer.line("default: self = .unrecognized(rawValue)")
            writer.line("}")
        }
    }

    private func toNumber(_ writer: inout CodeWriter) {
        writer.block("\(access)var rawValue: Int32") { writer in
            writer.line("switch self {")
            for item in originals { writer.line("case .\(item.name): \(item.number)") }
            writer.line("case .unrecognized(let number): number")
            writer.line("}")
        }
    }
}
