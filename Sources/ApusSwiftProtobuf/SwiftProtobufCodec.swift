// SPDX-License-Identifier: Apache-2.0

#if SwiftProtobuf
    public import ApusCore
    public import SwiftProtobuf

    /// The binary form of a message that swift-protobuf generated: for those who have such messages already.
    public enum SwiftProtobufCodec<Message: SwiftProtobuf.Message & Sendable>: MessageCodec {
        /// The bytes of a message.
        ///
        /// - Throws: INTERNAL with swift-protobuf's reason.
        public static func encode(_ message: Message) throws(RPCError) -> MessageBytes {
            do {
                let bytes: [UInt8] = try message.serializedBytes()
                return MessageBytes(bytes)
            } catch {
                throw RPCError(.internal, "a \(Message.protoMessageName) cannot be encoded: \(error)")
            }
        }

        /// The message in the bytes.
        ///
        /// - Throws: INTERNAL with swift-protobuf's reason.
        public static func decode(_ bytes: MessageBytes) throws(RPCError) -> Message {
            do {
                return try Message(serializedBytes: bytes.bytes)
            } catch {
                throw RPCError(.internal, "malformed \(Message.protoMessageName): \(error)")
            }
        }
    }
#endif
