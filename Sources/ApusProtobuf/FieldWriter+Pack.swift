// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import CProtobufC

extension FieldWriter {
    /// The bytes of the message that was written, packed by libprotobuf-c straight behind gRPC's prefix.
    @usableFromInline
    func pack(_ schema: MessageSchema) throws(RPCError) -> MessageBytes {
        guard !arena.state.pointee.isTooDeep else {
            throw RPCError(.internal, "a \(schema) is nested deeper than \(maximumDepth) messages")
        }
        schema.link()
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
