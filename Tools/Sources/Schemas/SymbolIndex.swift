// SPDX-License-Identifier: Apache-2.0

import Apus

/// Finds symbols of files by their full names, and comments by their places.
struct SymbolIndex {
    private(set) var places: [String: Schema.Place] = [:]
    private(set) var comments: [String: [[Int32]: String]] = [:]

    // The field numbers of descriptor.proto, of which paths are made.
    private static let message: Int32 = 4
    private static let enumeration: Int32 = 5
    private static let service: Int32 = 6
    private static let method: Int32 = 2
    private static let nestedMessage: Int32 = 3
    private static let nestedEnumeration: Int32 = 4

    mutating func add(_ file: ProtobufFileDescriptorProto) {
        let name = file.name ?? ""
        let scope = file.package.map { $0.isEmpty ? "" : $0 + "." } ?? ""
        for (index, message) in file.messageType.numbered { add(message, scope, name, [Self.message, index]) }
        for (index, value) in file.enumType.numbered {
            add(.enumeration(value), scope + (value.name ?? ""), name, [Self.enumeration, index])
        }
        for (index, service) in file.service.numbered { add(service, scope, name, [Self.service, index]) }
        for location in file.sourceCodeInfo?.location ?? [] {
            guard let text = location.leadingComments ?? location.trailingComments else { continue }
            comments[name, default: [:]][location.path] = text
        }
    }

    private mutating func add(
        _ message: ProtobufDescriptorProto, _ scope: String, _ file: String, _ path: [Int32]
    ) {
        let name = scope + (message.name ?? "")
        add(.message(message), name, file, path)
        for (index, nested) in message.nestedType.numbered {
            add(nested, name + ".", file, path + [Self.nestedMessage, index])
        }
        for (index, value) in message.enumType.numbered {
            add(.enumeration(value), "\(name).\(value.name ?? "")", file, path + [Self.nestedEnumeration, index])
        }
    }

    private mutating func add(
        _ service: ProtobufServiceDescriptorProto, _ scope: String, _ file: String, _ path: [Int32]
    ) {
        let name = scope + (service.name ?? "")
        add(.service(service), name, file, path)
        for (index, method) in service.method.numbered {
            add(.method(method, service: name), "\(name).\(method.name ?? "")", file, path + [Self.method, index])
        }
    }

    private mutating func add(_ symbol: Schema.Symbol, _ name: String, _ file: String, _ path: [Int32]) {
        places[name] = Schema.Place(symbol: symbol, name: name, file: file, path: path)
    }
}

extension Array {
    /// The elements with their places, as paths count them.
    var numbered: [(index: Int32, element: Element)] { enumerated().map { (Int32(clamping: $0), $1) } }
}
