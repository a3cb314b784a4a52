// SPDX-License-Identifier: Apache-2.0

public import Apus

/// A service over plain bytes: it greets, by itself or through another instance, and counts down.
public struct Greeter: Service {
    /// Its methods.
    public enum Methods {
        /// Answers with a greeting; a name that is empty is refused.
        public static let greet = Method<BytesCodec, BytesCodec>(
            service: "demo.Greeter", name: "Greet", kind: .unary)
        /// Has another instance greet.
        public static let relay = Method<BytesCodec, BytesCodec>(
            service: "demo.Greeter", name: "Relay", kind: .unary)
        /// Answers each message with its own bytes, one by one.
        public static let spell = Method<BytesCodec, BytesCodec>(
            service: "demo.Greeter", name: "Spell", kind: .bidirectional)
    }

    private let other: Channel?

    /// - Parameter other: the way to another instance.
    public init(other: Channel? = nil) { self.other = other }

    /// The methods with their handlers.
    public var routes: [Route] {
        [
            .unary(Methods.greet) { request, _ in
                guard !request.isEmpty else { throw RPCError(.invalidArgument, "who are you?") }
                return MessageBytes("Hello, \(String(decoding: request.bytes, as: UTF8.self))!".utf8)
            },
            .unary(Methods.relay) { request, _ in
                guard let other else { throw RPCError(.failedPrecondition, "there is nobody else") }
                return try await other.unary(Methods.greet, request).message
            },
            .bidirectional(Methods.spell) { requests, writer, _ in
                for try await request in requests {
                    for byte in request.bytes { try await writer.write(MessageBytes([byte])) }
                }
            },
        ]
    }
}
