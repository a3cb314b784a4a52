// SPDX-License-Identifier: Apache-2.0

/// Where a service's handlers run.
public enum HandlerExecution: Sendable {
    /// On the event loop of the call's connection: fastest, and for code that never blocks.
    case loop
    /// On Swift's own pool of threads: for code that computes for long.
    case concurrent
    /// On this many threads of the service's own: for code that blocks, such as a database.
    case threads(Int)
    /// On an executor of yours.
    case executor(any TaskExecutor)
}

/// A set of methods that a server can serve; generated handler protocols refine it.
public protocol Service: Sendable {
    /// Where the handlers run; ``HandlerExecution/loop`` unless told.
    var execution: HandlerExecution { get }

    /// The methods with their handlers.
    var routes: [Route] { get }

    /// The .proto files behind the service; nil unless told, as generated handler protocols do.
    var descriptor: ServiceDescriptor? { get }

    /// Told when a server that serves this is asked to stop gracefully, before its connections drain: the place to end
    /// calls that would go on for ever. Told again when it is asked again.
    func serverWillStop()
}

extension Service {
    /// On the event loop.
    public var execution: HandlerExecution { .loop }
    /// Nothing is known.
    public var descriptor: ServiceDescriptor? { nil }
    /// Does nothing.
    public func serverWillStop() {}
}

/// One method with its handler, over bytes.
public struct Route: Sendable {
    /// Answers one call.
    public typealias Handler = @Sendable (ServerCall) async throws -> ServerResponse

    /// The method.
    public let method: MethodDescriptor
    package let handler: Handler

    /// A route whose handler works on bytes.
    public init(_ method: MethodDescriptor, handler: @escaping Handler) {
        self.method = method
        self.handler = handler
    }

    /// A unary method.
    @inlinable
    public static func unary<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>,
        _ handler: @escaping @Sendable (Q.Message, ServerCall) async throws -> A.Message
    ) -> Route {
        Route(method.descriptor) { call in
            let answer = try await handler(try Q.decode(call.onlyRequest()), call)
            return ServerResponse(message: try A.encode(answer))
        }
    }

    /// A method that takes many messages and answers with one.
    @inlinable
    public static func clientStreaming<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>,
        _ handler: @escaping @Sendable (RequestStream<Q>, ServerCall) async throws -> A.Message
    ) -> Route {
        Route(method.descriptor) { call in
            let answer = try await handler(RequestStream(try call.requestStream()), call)
            return ServerResponse(message: try A.encode(answer))
        }
    }

    /// A method that answers with many messages.
    @inlinable
    public static func serverStreaming<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>,
        _ handler: @escaping @Sendable (Q.Message, ResponseWriter<A>, ServerCall) async throws -> Void
    ) -> Route {
        Route(method.descriptor) { call in
            try await handler(try Q.decode(call.onlyRequest()), ResponseWriter(call.responder), call)
            return ServerResponse(message: nil)
        }
    }

    /// A method with many messages either way.
    @inlinable
    public static func bidirectional<Q: MessageCodec, A: MessageCodec>(
        _ method: Method<Q, A>,
        _ handler: @escaping @Sendable (RequestStream<Q>, ResponseWriter<A>, ServerCall) async throws -> Void
    ) -> Route {
        Route(method.descriptor) { call in
            try await handler(RequestStream(try call.requestStream()), ResponseWriter(call.responder), call)
            return ServerResponse(message: nil)
        }
    }
}

extension Method {
    /// The request of a call that has one message: for generated code.
    ///
    /// - Throws: INTERNAL for bytes that are no such message.
    @inlinable
    public func request(_ call: ServerCall) throws -> Request.Message { try Request.decode(call.onlyRequest()) }

    /// The response of a call that has one message: for generated code.
    ///
    /// - Throws: INTERNAL for a message that cannot be encoded.
    @inlinable
    public func response(_ answer: Response.Message) throws -> ServerResponse {
        ServerResponse(message: try Response.encode(answer))
    }
}

extension ServerCall {
    @usableFromInline
    func onlyRequest() throws(RPCError) -> MessageBytes {
        guard case .one(let bytes) = request else {
            throw RPCError(.internal, "an interceptor gave a stream to a method that takes one message")
        }
        return bytes
    }

    @usableFromInline
    func requestStream() throws(RPCError) -> any MessageSource {
        guard case .stream(let source) = request else {
            throw RPCError(.internal, "an interceptor gave one message to a method that takes a stream")
        }
        return source
    }
}
