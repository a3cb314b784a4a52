// SPDX-License-Identifier: Apache-2.0

/// What is known of a method without its message types: what interceptors and routers see.
public struct MethodDescriptor: Sendable, Hashable {
    /// The four kinds of call.
    public enum Kind: Sendable, Hashable {
        /// One request, one response.
        case unary
        /// Many requests, one response.
        case clientStreaming
        /// One request, many responses.
        case serverStreaming
        /// Many requests, many responses.
        case bidirectional

        /// Whether the client sends many messages.
        @inlinable public var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }
        /// Whether the server sends many messages.
        @inlinable public var streamsResponses: Bool { self == .serverStreaming || self == .bidirectional }
    }

    /// What the .proto file promises about repeating the call (`option idempotency_level`).
    public enum Idempotency: Sendable, Hashable {
        /// Nothing is promised.
        case unknown
        /// Repeating the call has the effect of one call.
        case idempotent
        /// The call has no effect besides its answer.
        case noSideEffects
    }

    // Behind one reference: a description is copied with every call, at every interceptor.
    private final class Storage: Sendable {
        let service: String
        let name: String
        let path: String
        let kind: Kind
        let idempotency: Idempotency
        let pathHash: Int

        init(_ service: String, _ name: String, _ kind: Kind, _ idempotency: Idempotency) {
            self.service = service
            self.name = name
            self.kind = kind
            self.idempotency = idempotency
            path = "/\(service)/\(name)"
            pathHash = path.hashValue
        }
    }

    private let storage: Storage

    /// The full name of the service, such as `users.v1.UserService`.
    public var service: String { storage.service }
    /// The name of the method, such as `Register`.
    public var name: String { storage.name }
    /// `/service/name`, as `:path` carries it.
    public var path: String { storage.path }
    /// The hash of the path, computed once: what tables by method compare first.
    package var pathHash: Int { storage.pathHash }
    /// How many messages go either way.
    public var kind: Kind { storage.kind }
    /// What is promised about repetition.
    public var idempotency: Idempotency { storage.idempotency }

    /// A method's description.
    public init(service: String, name: String, kind: Kind, idempotency: Idempotency = .unknown) {
        storage = Storage(service, name, kind, idempotency)
    }

    /// Methods are the same when their paths are.
    public static func == (left: MethodDescriptor, right: MethodDescriptor) -> Bool {
        left.storage === right.storage || left.path == right.path
    }

    /// Hashes the path.
    public func hash(into hasher: inout Hasher) { hasher.combine(path) }
}

/// A method with its message types: what generated stubs call and serve.
public struct Method<Request: MessageCodec, Response: MessageCodec>: Sendable {
    /// The untyped part.
    public let descriptor: MethodDescriptor

    /// A typed method.
    public init(
        service: String, name: String, kind: MethodDescriptor.Kind,
        idempotency: MethodDescriptor.Idempotency = .unknown
    ) {
        descriptor = MethodDescriptor(service: service, name: name, kind: kind, idempotency: idempotency)
    }
}
