// SPDX-License-Identifier: Apache-2.0

/// Finds what cannot be generated yet, and says where it stands.
struct Refusal {
    private let file: FileModel

    /// - Throws: for the first thing in the file that cannot be generated.
    static func check(_ file: FileModel) throws(GeneratorError) {
        let refusal = Refusal(file: file)
        let descriptor = file.descriptor
        guard descriptor.isProto3 else {
            let syntax = descriptor.syntax.isEmpty ? "proto2" : descriptor.syntax
            throw refusal.error([12], "syntax \(syntax) is not supported yet, only proto3")
        }
        if !descriptor.extension.isEmpty { throw refusal.error([7, 0], "extensions are not supported yet") }
        for (index, message) in descriptor.messageType.enumerated() {
            try refusal.check(message, [4, Int32(index)])
        }
        for (index, service) in descriptor.service.enumerated() {
            for (number, method) in service.method.enumerated() {
                let path = [6, Int32(index), 2, Int32(number)]
                try refusal.checkType(method.inputType, path)
                try refusal.checkType(method.outputType, path)
            }
        }
    }

    private func check(_ message: DescriptorProto, _ path: [Int32]) throws(GeneratorError) {
        if !message.extension.isEmpty { throw error(path + [6, 0], "extensions are not supported yet") }
        for (index, field) in message.field.enumerated() {
            let place = path + [2, Int32(index)]
            if field.type == 10 { throw error(place, "groups are not supported yet") }
            if !field.typeName.isEmpty { try checkType(field.typeName, place) }
        }
        for (index, nested) in message.nestedType.enumerated() {
            try check(nested, path + [3, Int32(index)])
        }
    }

    private func checkType(_ name: String, _ path: [Int32]) throws(GeneratorError) {
        guard let type = file.index[name] else {
            throw error(path, "type \(name.dropFirst()) is not in protoc's request")
        }
        if !type.isProto3 { throw error(path, "type \(name.dropFirst()) of \(type.file) is proto2: not supported yet") }
    }

    private func error(_ path: [Int32], _ reason: String) -> GeneratorError {
        GeneratorError("\(file.comments.place(path)): \(reason)")
    }
}
