// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// Finds what cannot be generated, and says where it stands.
struct Refusal {
    private let file: FileModel

    /// - Throws: for the first thing in the file that cannot be generated.
    static func check(_ file: FileModel) throws(GeneratorError) {
        let refusal = Refusal(file: file)
        let descriptor = file.descriptor
        guard descriptor.features != nil else {
            let syntax = descriptor.syntax == "editions" ? "edition \(descriptor.edition)" : descriptor.syntax
            throw refusal.error([12], "\(syntax) is not supported, only proto2, proto3 and edition 2023")
        }
        for (index, message) in descriptor.messageType.enumerated() {
            try refusal.check(message, file.fullName(message.name), [4, Int32(index)])
        }
        for (index, field) in descriptor.extension.enumerated() {
            try refusal.checkType(field.extendee, [7, Int32(index)])
            if !field.typeName.isEmpty { try refusal.checkType(field.typeName, [7, Int32(index)]) }
        }
        for (index, service) in descriptor.service.enumerated() {
            for (number, method) in service.method.enumerated() {
                let path = [6, Int32(index), 2, Int32(number)]
                try refusal.checkType(method.inputType, path)
                try refusal.checkType(method.outputType, path)
            }
        }
    }

    /// - Throws: when two files that are generated together declare types with one Swift name.
    static func checkNames(_ files: [FileModel]) throws(GeneratorError) {
        var places: [String: String] = [:]
        for file in files {
            for type in file.topLevelTypes {
                let place = file.comments.place(type.path)
                guard let other = places.updateValue(place, forKey: type.swiftName) else { continue }
                throw GeneratorError(
                    "\(place): \(type.name) would be \(type.swiftName) in Swift, like the type at \(other): "
                        + "give one of the files an option swift_prefix, or generate them into two modules")
            }
        }
    }

    private func check(_ message: DescriptorProto, _ name: String, _ path: [Int32]) throws(GeneratorError) {
        guard !file.recursive.requiresItself(".\(name)") else {
            throw error(path, "message \(name) requires a message of its own type: there can be none")
        }
        for (index, field) in message.field.enumerated() where !field.typeName.isEmpty {
            try checkType(field.typeName, path + [2, Int32(index)])
        }
        for (index, field) in message.extension.enumerated() {
            try checkType(field.extendee, path + [6, Int32(index)])
            if !field.typeName.isEmpty { try checkType(field.typeName, path + [6, Int32(index)]) }
        }
        for (index, nested) in message.nestedType.enumerated() {
            try check(nested, "\(name).\(nested.name)", path + [3, Int32(index)])
        }
    }

    private func checkType(_ name: String, _ path: [Int32]) throws(GeneratorError) {
        if file.index[name] == nil { throw error(path, "type \(name.dropFirst()) is not in protoc's request") }
    }

    private func error(_ path: [Int32], _ reason: String) -> GeneratorError {
        GeneratorError("\(file.comments.place(path)): \(reason)")
    }
}

extension FileModel {
    /// The types outside of others, with their places.
    fileprivate var topLevelTypes: [(name: String, swiftName: String, path: [Int32])] {
        let messages = descriptor.messageType.enumerated().map { (fullName($1.name), [4, Int32($0)]) }
        let enumerations = descriptor.enumType.enumerated().map { (fullName($1.name), [5, Int32($0)]) }
        let types = (messages + enumerations).map { ($0, swiftName(".\($0)"), $1) }
        let services = descriptor.service.enumerated().map { index, service in
            let path = [6, Int32(index)]
            return (fullName(service.name), ServiceModel(service, path: path, in: self).name, path)
        }
        return types + services
    }
}
