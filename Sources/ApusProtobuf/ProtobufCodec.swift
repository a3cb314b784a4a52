// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// The binary form of a protobuf message. Source: protobuf *Encoding*.
public enum ProtobufCodec<Message: ProtobufMessage>: MessageCodec {
    /// Puts the message into a C struct and lets libprotobuf-c pack it.
    @inlinable
    public static func encode(_ message: Message) throws(RPCError) -> MessageBytes {
        try encode(message, isDeterministic: false)
    }

    @inlinable
    static func encode(_ message: Message, isDeterministic: Bool) throws(RPCError) -> MessageBytes {
        let schema = Message.schema
        let arena = Arena.take(budget: .max)
        defer { arena.giveBack() }
        if isDeterministic { arena.state.pointee.isDeterministic = true }
        let root = FieldWriter(root: schema, in: arena)
        message.write(to: root)
        return try root.pack(schema)
    }

    /// Unpacks the bytes into the thread's arena and reads the message from there.
    @inlinable
    public static func decode(_ bytes: MessageBytes) throws(RPCError) -> Message {
        try bytes.withUnsafeBytes { (buffer) throws(RPCError) in try decode(buffer) }
    }

    @inlinable
    package static func decode(_ bytes: UnsafeRawBufferPointer, depth: Int = maximumDepth) throws(RPCError) -> Message {
        let arena = Arena.take(budget: Arena.decodeBudget(for: bytes.count))
        defer { arena.giveBack() }
        return Message(reading: try Message.schema.unpack(bytes, in: arena, depth: depth))
    }
}
