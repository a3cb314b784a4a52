// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf

/// The .proto files of a server's services, found by their names and by what they declare.
struct DescriptorIndex: Sendable {
    private struct File: Sendable {
        let bytes: [UInt8]
        let imports: [String]
    }

    /// The full names of the services.
    var services: Set<String> = []
    private var files: [String: File] = [:]
    private var fileOfSymbol: [String: String] = [:]
    private var fileOfExtension: [String: [Int32: String]] = [:]

    /// Adds a service's files.
    ///
    /// - Throws: INVALID_ARGUMENT for a descriptor that is none; FAILED_PRECONDITION when another file has the name.
    mutating func add(_ descriptor: ServiceDescriptor) throws(RPCError) {
        var text = descriptor.fileDescriptorSet
        guard let bytes = text.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0)) }) else {
            throw RPCError(.invalidArgument, "the descriptor of \(descriptor.service) is not in base64")
        }
        do throws(RPCError) {
            for file in try SerializedFiles(serialized: bytes).file {
                try add(file, FileSymbols(serialized: file))
            }
        } catch  where error.code == .internal {
            throw RPCError(.invalidArgument, "the descriptor of \(descriptor.service) is broken: \(error.message)")
        }
    }

    private mutating func add(_ bytes: [UInt8], _ symbols: FileSymbols) throws(RPCError) {
        if let known = files[symbols.name] {
            guard known.bytes == bytes else {
                throw RPCError(.failedPrecondition, "two different .proto files have the name \(symbols.name)")
            }
            return
        }
        files[symbols.name] = File(bytes: bytes, imports: symbols.dependency)
        let scope = symbols.package.isEmpty ? "" : symbols.package + "."
        for message in symbols.messageType { add(message, scope, symbols.name) }
        for enumeration in symbols.enumType { add(enumeration, scope, symbols.name) }
        for service in symbols.service { add(service: service, scope, symbols.name) }
        for field in symbols.`extension` { add(extension: field, scope, symbols.name) }
    }

    private mutating func add(_ message: MessageSymbols, _ scope: String, _ file: String) {
        let name = scope + message.name
        fileOfSymbol[name] = file
        for field in message.field { fileOfSymbol["\(name).\(field.name)"] = file }
        for oneof in message.oneofDecl { fileOfSymbol["\(name).\(oneof.name)"] = file }
        for nested in message.nestedType { add(nested, name + ".", file) }
        for enumeration in message.enumType { add(enumeration, name + ".", file) }
        for field in message.`extension` { add(extension: field, name + ".", file) }
    }

    // The values of an enum are its siblings. Source: google/protobuf/descriptor.proto.
    private mutating func add(_ enumeration: GroupSymbols, _ scope: String, _ file: String) {
        fileOfSymbol[scope + enumeration.name] = file
        for value in enumeration.member { fileOfSymbol[scope + value.name] = file }
    }

    private mutating func add(service: GroupSymbols, _ scope: String, _ file: String) {
        let name = scope + service.name
        fileOfSymbol[name] = file
        for method in service.member { fileOfSymbol["\(name).\(method.name)"] = file }
    }

    private mutating func add(extension field: FieldSymbol, _ scope: String, _ file: String) {
        fileOfSymbol[scope + field.name] = file
        fileOfExtension[String(field.extendee.drop { $0 == "." }), default: [:]][field.number] = file
    }

    /// The name of the file that declares a symbol, given by its full name.
    func file(declaring symbol: String) -> String? { fileOfSymbol[symbol] }

    /// The name of the file that declares an extension of a message.
    func file(extending message: String, number: Int32) -> String? { fileOfExtension[message]?[number] }

    /// The numbers of a message's extensions, in their order.
    func extensionNumbers(of message: String) -> [Int32] { fileOfExtension[message].map { $0.keys.sorted() } ?? [] }

    /// A file and all that it imports, serialized, itself first; nil when it is not known.
    func files(from name: String) -> [[UInt8]]? {
        guard files[name] != nil else { return nil }
        var names = [name]
        var seen: Set<String> = [name]
        var next = 0
        while next < names.count {
            for dependency in files[names[next]]?.imports ?? [] where seen.insert(dependency).inserted {
                names.append(dependency)
            }
            next += 1
        }
        return names.compactMap { files[$0]?.bytes }
    }
}
