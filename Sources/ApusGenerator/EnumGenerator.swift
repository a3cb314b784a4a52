// SPDX-License-Identifier: Apache-2.0

/// Writes an enum: a case for each number and, unless it is closed, one for the numbers that have no name.
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
            writer.line("\(access)init() { self = .\(originals.first?.storage ?? "unrecognized(0)") }")
            writer.line()
            fromNumber(&writer)
            writer.line()
            toNumber(&writer)
        }
        if model.isDeprecated { writer.deprecatedAlias(model.name, access) }
    }

    private var originals: [EnumModel.Case] { model.cases.filter { $0.original == nil } }

    private func cases(_ writer: inout CodeWriter) {
        for item in originals {
            writer.doc(item.comment)
            writer.line("case \(item.storage)")
        }
        if !model.isClosed {
            writer.doc("A number that the .proto file does not name.")
            writer.line("case unrecognized(Int32)")
        }
        for item in model.cases {
            guard let original = item.original ?? (item.isDeprecated ? item.storage : nil) else { continue }
            writer.line()
            writer.doc(item.comment.isEmpty ? "Another name of ``\(original)``." : item.comment)
            if item.isDeprecated { writer.line("@available(*, deprecated)") }
            writer.line("\(access)static var \(item.name): \(model.name) { .\(original) }")
        }
    }

    private func schema(_ writer: inout CodeWriter) {
        writer.line("\(access)static let schema = EnumSchema(\"\(model.fullName)\", [")
        writer.indented { writer in
            for item in model.cases { writer.line("(\(item.number), \"\(item.protoName)\"),") }
        }
        writer.line(model.isClosed ? "], isClosed: true)" : "])")
    }

    private func fromNumber(_ writer: inout CodeWriter) {
        writer.block("\(access)init\(model.isClosed ? "?" : "")(rawValue: Int32)") { writer in
            writer.line("switch rawValue {")
            for item in originals { writer.line("case \(item.number): self = .\(item.storage)") }
            writer.line(model.isClosed ? "default: return nil" : "default: self = .unrecognized(rawValue)")
            writer.line("}")
        }
    }

    private func toNumber(_ writer: inout CodeWriter) {
        writer.block("\(access)var rawValue: Int32") { writer in
            writer.line("switch self {")
            for item in originals { writer.line("case .\(item.storage): \(item.number)") }
            if !model.isClosed { writer.line("case .unrecognized(let number): number") }
            writer.line("}")
        }
    }
}

extension CodeWriter {
    /// The name of a deprecated type: generated code itself uses the one with an underscore, so as not to warn.
    mutating func deprecatedAlias(_ name: String, _ access: String) {
        line()
        line("@available(*, deprecated)")
        line("\(access)typealias \(name.dropFirst()) = \(name)")
    }
}
