// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import CProtobufC

extension FieldWriter {
    /// The bytes of the message that was written, packed by libprotobuf-c.
    @usableFromInline
    func pack(_ schema: MessageSchema) throws(RPCError) -> MessageBytes {
        guard !arena.state.pointee.isTooDeep else {
            throw RPCError(.internal, "a \(schema) is nested deeper than \(maximumDepth) messages")
        }
        schema.link()
        if arena.state.pointee.pinned.isEmpty, arena.used <= Self.scratchLimit { return packByWayOfScratch() }
        return try packInPlace(schema)
    }

    // Of larger messages the second copy is no longer cheaper than the measuring.
    private static let scratchLimit = 4 << 20

    /// Measuring a message takes libprotobuf-c nearly as long as packing it: where all of it lies in the arena there
    /// is a limit at once, and the packed bytes are copied behind gRPC's prefix.
    private func packByWayOfScratch() -> MessageBytes {
        arena.packGroups()
        let scratch = arena.allocate(arena.packedLimit)
        let root = UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
        let size = protobuf_c_message_pack(root, scratch.assumingMemoryBound(to: UInt8.self))
        return MessageBytes(unchecked: size) { target in
            if let start = target.baseAddress { start.copyMemory(from: scratch, byteCount: size) }
        }
    }

    private func packInPlace(_ schema: MessageSchema) throws(RPCError) -> MessageBytes {
        var packed: MessageBytes?
        var size = 0
        arena.withPinnedData {
            arena.packGroups()
            let root = UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
            size = protobuf_c_message_get_packed_size(root)
            guard size <= MessageSchema.maximumByteCount else { return }
            packed = MessageBytes(unchecked: size) { target in
                _ = protobuf_c_message_pack(root, target.baseAddress?.assumingMemoryBound(to: UInt8.self))
            }
        }
        guard let packed else {
            throw RPCError(.resourceExhausted, "a \(schema) of \(size) bytes is over protobuf's limit of 2 GiB")
        }
        return packed
    }
}

extension Arena {
    /// No message in the arena takes more bytes when it is packed: a tag has at most five and a number ten, for each
    /// number there are eight here, for each length of data sixteen, and for each message thirty-two.
    var packedLimit: Int { 2 * used }
}
