// SPDX-License-Identifier: Apache-2.0

public import ApusCore

extension ProtobufAny {
    /// A message with the name of its type.
    ///
    /// - Parameter urlPrefix: what stands before the name; readers look only behind the last slash.
    /// - Throws: what ``ProtobufMessage/serialized()`` throws.
    public init<M: ProtobufMessage>(
        packing message: M, urlPrefix: String = "type.googleapis.com"
    ) throws(RPCError) {
        self.init(typeUrl: "\(urlPrefix)/\(M.schema.name)", value: try message.serializedBytes())
    }

    /// The full name of the message's type; empty if the URL has none.
    public var typeName: String {
        guard let slash = typeUrl.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(typeUrl[typeUrl.utf8.index(after: slash)...])
    }

    /// Whether a message of this type is inside.
    public func holds<M: ProtobufMessage>(_: M.Type) -> Bool { typeName == M.schema.name }

    /// The message inside.
    ///
    /// - Throws: INVALID_ARGUMENT if it is of another type, INTERNAL if its bytes are no such message.
    public func unpacked<M: ProtobufMessage>(_ type: M.Type = M.self) throws(RPCError) -> M {
        guard holds(type) else {
            throw RPCError(.invalidArgument, "an Any holds '\(typeUrl)' and not a \(M.schema.name)")
        }
        return try M(serialized: value)
    }

    /// The message inside, of any type that is known.
    ///
    /// - Throws: INVALID_ARGUMENT if its type is not known, INTERNAL if its bytes are no such message.
    public func unpacked(_ types: TypeRegistry) throws(RPCError) -> DynamicMessage {
        guard let schema = types.message(url: typeUrl) else {
            throw RPCError(.invalidArgument, "the type '\(typeUrl)' of an Any is not known")
        }
        return try DynamicMessage(schema, serialized: value)
    }
}
