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
                let carried: CarriedBytes = try message.serializedBytes()
                return carried.bytes
            } catch {
                throw RPCError(.internal, "a \(Message.protoMessageName) cannot be encoded: \(error)")
            }
        }

        /// The message in the bytes.
        ///
        /// - Throws: INTERNAL with swift-protobuf's reason.
        public static func decode(_ bytes: MessageBytes) throws(RPCError) -> Message {
            do {
                return try Message(serializedBytes: CarriedBytes(bytes))
            } catch {
                throw RPCError(.internal, "malformed \(Message.protoMessageName): \(error)")
            }
        }
    }

    /// Lets swift-protobuf read and write a message's bytes where they are: nothing is copied.
    private struct CarriedBytes: SwiftProtobufContiguousBytes {
        let bytes: MessageBytes

        init(_ bytes: MessageBytes) { self.bytes = bytes }

        init(repeating byte: UInt8, count: Int) {
            bytes = MessageBytes(unchecked: count) { $0.initializeMemory(as: UInt8.self, repeating: byte) }
        }

        init(_ sequence: some Sequence<UInt8>) { bytes = MessageBytes(Array(sequence)) }

        var count: Int { bytes.count }

        func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
            try bytes.withUnsafeBytes(body)
        }

        // swift-protobuf fills what it made with init(repeating:count:) before anybody else has it.
        mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
            try bytes.withUnsafeBytes { try body(UnsafeMutableRawBufferPointer(mutating: $0)) }
        }
    }
#endif
