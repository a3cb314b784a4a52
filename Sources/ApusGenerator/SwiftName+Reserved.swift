// SPDX-License-Identifier: Apache-2.0

extension SwiftName {
    /// Words that need backticks as names. Source: The Swift Programming Language, Lexical Structure.
    static let keywords: Set<String> = [
        "associatedtype", "class", "deinit", "enum", "extension", "fileprivate", "func", "import", "inout", "internal",
        "let", "open", "operator", "private", "precedencegroup", "protocol", "public", "rethrows", "static", "struct",
        "subscript", "typealias", "var", "break", "case", "catch", "continue", "default", "defer", "do", "else",
        "fallthrough", "for", "guard", "if", "in", "repeat", "return", "throw", "switch", "where", "while", "as",
        "await", "false", "is", "nil", "super", "throws", "true", "try", "async", "package", "some", "any",
    ]

    /// Members that every message has, and names that Swift reads specially: a field gets an underscore.
    static let takenProperties: Set<String> = ["self", "init", "unknownFields", "hashValue"]

    /// Members that every stub has: a method gets an underscore.
    static let takenMethods: Set<String> = ["self", "init", "channel", "blocking", "routes", "execution", "descriptor"]

    /// Members that every enum has: a case gets an underscore.
    static let takenCases: Set<String> = ["self", "init", "unrecognized", "rawValue", "hashValue", "schema"]

    /// Types that generated code mentions, or that Swift gives a meaning: a message of that name gets a suffix.
    static let mentionedTypes: Set<String> = [
        "Any", "Array", "Bool", "Character", "Codable", "Data", "Dictionary", "Double", "Duration", "Error", "Float",
        "Hashable", "Int", "Int32", "Int64", "Never", "Optional", "Protocol", "Result", "Self", "Sendable", "Sequence",
        "Set", "String", "Task", "Type", "UInt8", "UInt32", "UInt64", "Void",
        "AnyProtobufExtension", "EnumSchema", "FieldReader", "FieldSchema", "FieldWriter", "Indirect", "MessageSchema",
        "ProtobufCodec",
        "ProtobufEnum",
        "ProtobufExtension", "ProtobufMessage", "UnknownFields",
    ]

    /// Types of Apus that users and stubs name: a message outside of others gets a suffix, so that it hides none.
    static let topLevelTypes: Set<String> = [
        "BidirectionalCall", "BlockingChannel", "BlockingClient", "BlockingResponses", "CallDeadline", "CallOptions",
        "Candidates", "Channel", "Client", "ClientCall", "ClientInterceptor", "ClientResponse", "ClientStreamingCall",
        "ClientTransport", "Deadline", "Discovery", "Endpoint", "Handler", "HandlerExecution", "MessageBody",
        "MessageBytes", "MessageCodec", "MessagePipe", "MessageSource", "Metadata", "Method", "MethodDescriptor",
        "Methods", "Observer", "RPCError", "RandomBalancer", "Registry", "RequestStream", "RequestWriter", "Response",
        "ResponseStream", "ResponseWriter", "Retry", "Route", "Router", "Server", "ServerCall", "ServerInterceptor",
        "ServerResponse", "Service", "ServiceDescriptor", "Status",
    ]
}
