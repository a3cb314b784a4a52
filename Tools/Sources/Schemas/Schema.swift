// SPDX-License-Identifier: Apache-2.0

public import Apus

/// What some .proto files declare, by full names: `users.v1.UserService`, `users.v1.User`.
public struct Schema: Sendable {
    /// What a full name stands for.
    public enum Symbol: Sendable {
        case service(ProtobufServiceDescriptorProto)
        case method(ProtobufMethodDescriptorProto, service: String)
        case message(ProtobufDescriptorProto)
        case enumeration(ProtobufEnumDescriptorProto)
    }

    /// Where a symbol is declared.
    public struct Place: Sendable {
        /// The symbol.
        public let symbol: Symbol
        /// Its full name.
        public let name: String
        /// The file that declares it.
        public let file: String
        /// Its place in the file, as `google.protobuf.SourceCodeInfo` gives it.
        public let path: [Int32]
    }

    /// A method that can be called.
    public struct CallableMethod: Sendable {
        /// What the channel has to know.
        public let descriptor: MethodDescriptor
        /// The type of its requests.
        public let request: MessageSchema
        /// The type of its responses.
        public let response: MessageSchema
    }

    /// The types, for messages of them.
    public let pool: DescriptorPool
    /// The full names of all services, sorted.
    public let services: [String]

    private let places: [String: Place]
    private let comments: [String: [[Int32]: String]]
    private let syntaxes: [String: String]

    /// The contents of the files, which contain all that they import.
    ///
    /// - Throws: INVALID_ARGUMENT for descriptors that protoc would not write.
    public init(_ set: ProtobufFileDescriptorSet) throws(RPCError) {
        pool = try DescriptorPool(set)
        var index = SymbolIndex()
        for file in set.file { index.add(file) }
        places = index.places
        comments = index.comments
        syntaxes = Dictionary(set.file.map { ($0.name ?? "", $0.syntax ?? "proto2") }) { $1 }
        services = index.places.values.compactMap { place in
            if case .service = place.symbol { place.name } else { nil }
        }.sorted()
    }

    /// What a full name stands for; `Service/Method` and a leading dot are understood, too.
    public subscript(name: String) -> Place? {
        places[String(name.drop { $0 == "." || $0 == "/" }).replacing("/", with: ".")]
    }

    /// The comment in front of a symbol or of what is inside of it; nil when the files came without comments.
    func comment(in file: String, at path: [Int32]) -> String? { comments[file]?[path] }

    /// Whether the fields of a file have no presence unless they say `optional`.
    func isProto3(_ file: String) -> Bool { syntaxes[file] == "proto3" }

    /// The method `Service/Method`, or `Service.Method`.
    ///
    /// - Throws: NOT_FOUND with the names that are there.
    public func method(_ name: String) throws(RPCError) -> CallableMethod {
        guard case .method(let method, let service)? = self[name]?.symbol else { throw unknown(method: name) }
        let descriptor = MethodDescriptor(
            service: service, name: method.name ?? "", kind: method.kind, idempotency: method.idempotency)
        return CallableMethod(
            descriptor: descriptor, request: try type(method.inputType), response: try type(method.outputType))
    }

    private func type(_ name: String?) throws(RPCError) -> MessageSchema {
        let name = String((name ?? "").drop { $0 == "." })
        guard let schema = pool[name] else {
            throw RPCError(.invalidArgument, "the descriptors do not have the message \(name)")
        }
        return schema
    }

    private func unknown(method name: String) -> RPCError {
        let parts = name.split(separator: "/", omittingEmptySubsequences: true)
        guard let service = parts.first.map(String.init), case .service(let found)? = self[service]?.symbol else {
            let known = services.isEmpty ? "none" : services.joined(separator: ", ")
            return RPCError(.notFound, "there is no method \(name); the services are: \(known)")
        }
        let methods = found.method.compactMap(\.name).joined(separator: ", ")
        return RPCError(.notFound, "\(service) has no such method; it has: \(methods)")
    }
}

extension ProtobufMethodDescriptorProto {
    var kind: MethodDescriptor.Kind {
        switch (clientStreamingOrDefault, serverStreamingOrDefault) {
        case (false, false): .unary
        case (true, false): .clientStreaming
        case (false, true): .serverStreaming
        case (true, true): .bidirectional
        }
    }

    var idempotency: MethodDescriptor.Idempotency {
        switch options?.idempotencyLevel {
        case .noSideEffects: .noSideEffects
        case .idempotent: .idempotent
        default: .unknown
        }
    }
}

extension Schema {
    /// A symbol and all messages and enums that it uses, each once, in the order of their first use. Types inside of
    /// one that is told are told with it.
    public func reach(of start: Place) -> [Place] {
        var found = [start]
        var next = 0
        while next < found.count {
            for name in found[next].symbol.uses.map({ String($0.drop { $0 == "." }) }) {
                let isTold = found.contains { name == $0.name || name.hasPrefix($0.name + ".") }
                if !isTold, let place = places[name] { found.append(place) }
            }
            next += 1
        }
        return found
    }
}

extension Schema.Symbol {
    /// The full names of the types that it mentions.
    fileprivate var uses: [String] {
        switch self {
        case .service(let service): service.method.flatMap { [$0.inputType ?? "", $0.outputType ?? ""] }
        case .method(let method, _): [method.inputType ?? "", method.outputType ?? ""]
        case .message(let message): message.uses
        case .enumeration: []
        }
    }
}

extension ProtobufDescriptorProto {
    fileprivate var uses: [String] { field.compactMap(\.typeName) + nestedType.flatMap(\.uses) }
}
