// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Message types that are made at run time, from descriptors: what `protoc --descriptor_set_out` writes, or what a
/// server's reflection answers.
///
/// Tables live as long as the process: a program keeps the pools that it made, and makes each once.
public struct DescriptorPool: Sendable {
    /// The messages and extensions, for `Any` and JSON. A message of a pool hides a well-known type of its name.
    public let types: TypeRegistry

    private let messages: [String: MessageSchema]

    /// The types of the files, which contain all that they import.
    ///
    /// - Throws: INVALID_ARGUMENT for descriptors that protoc would not write.
    public init(_ set: ProtobufFileDescriptorSet) throws(RPCError) {
        var builder = DescriptorPoolBuilder()
        for file in set.file { try builder.collect(file) }
        messages = try builder.makeMessages()
        var types = TypeRegistry()
        for schema in messages.values { types.add(schema) }
        for field in try builder.makeExtensions(messages) { types.add(field) }
        self.types = types
    }

    /// The types of the files in a serialized `google.protobuf.FileDescriptorSet`.
    ///
    /// - Throws: INVALID_ARGUMENT for descriptors that protoc would not write, INTERNAL for bytes that are no set.
    public init(serialized set: [UInt8]) throws(RPCError) {
        try self.init(ProtobufFileDescriptorSet(serialized: set))
    }

    /// The table of the message with this full name; nil if there is none.
    public subscript(name: String) -> MessageSchema? { messages[name] }

    /// The full names of all messages.
    public var names: [String] { messages.keys.sorted() }
}

/// An extension that is known at run time only.
struct DynamicExtension: AnyProtobufExtension {
    let field: FieldSchema
    let extendee: MessageSchema
    let carrier: MessageSchema
}
