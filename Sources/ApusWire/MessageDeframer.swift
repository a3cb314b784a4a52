// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Cuts gRPC messages out of the bytes of DATA frames, wherever those were split.
/// Source: gRPC over HTTP/2, *Length-Prefixed-Message*.
package struct MessageDeframer: ~Copyable {
    private var prefix: UInt64 = 0
    private var prefixCount = 0
    private var message: MessageBytesBuilder?
    private let limit: Int
    /// Whether messages may come compressed; they do when the call's head named an encoding.
    package var takesCompressed = false

    /// - Parameter limit: the largest message in bytes.
    package init(limit: Int) { self.limit = limit }

    /// Whether the bytes so far end inside a message.
    package var isInsideMessage: Bool { prefixCount > 0 || message != nil }

    /// Takes bytes from the front of `bytes` until a message is complete.
    ///
    /// - Returns: the message, or nil when `bytes` is used up.
    /// - Throws: RESOURCE_EXHAUSTED above the limit, before memory is taken; INTERNAL for a flag that is neither 0 nor,
    ///   where messages may be compressed, 1.
    package mutating func next(_ bytes: inout UnsafeRawBufferPointer) throws(RPCError) -> MessageBytes? {
        if message == nil {
            if prefixCount == 0, bytes.count >= MessageBytes.prefixSize {
                if let whole = try wholeMessage(&bytes) { return whole }
            } else {
                guard try readPrefix(&bytes) else { return nil }
            }
        }
        guard var current = message.take() else { return nil }
        let taken = current.append(bytes)
        bytes = UnsafeRawBufferPointer(rebasing: bytes[taken...])
        if current.missing > 0 {
            message = consume current
            return nil
        }
        return current.finish()
    }

    // Most messages come in one piece: then nothing has to be kept between pieces.
    private mutating func wholeMessage(_ bytes: inout UnsafeRawBufferPointer) throws(RPCError) -> MessageBytes? {
        let size = bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)
        let header = try Header(flag: UInt64(bytes[0]), size: Int(UInt32(bigEndian: size)), self)
        bytes = UnsafeRawBufferPointer(rebasing: bytes[MessageBytes.prefixSize...])
        guard bytes.count >= header.size else {
            message = MessageBytesBuilder(count: header.size, compressed: header.isCompressed)
            return nil
        }
        let content = UnsafeRawBufferPointer(rebasing: bytes[..<header.size])
        bytes = UnsafeRawBufferPointer(rebasing: bytes[header.size...])
        return MessageBytes(unchecked: header.size, compressed: header.isCompressed) { $0.copyMemory(from: content) }
    }

    private mutating func readPrefix(_ bytes: inout UnsafeRawBufferPointer) throws(RPCError) -> Bool {
        while prefixCount < MessageBytes.prefixSize {
            guard let byte = bytes.first else { return false }
            prefix = prefix << 8 | UInt64(byte)
            prefixCount += 1
            bytes = UnsafeRawBufferPointer(rebasing: bytes[1...])
        }
        let (flag, size) = (prefix >> 32, Int(prefix & 0xffff_ffff))
        prefix = 0
        prefixCount = 0
        let header = try Header(flag: flag, size: size, self)
        message = MessageBytesBuilder(count: header.size, compressed: header.isCompressed)
        return true
    }

    private struct Header {
        let size: Int
        let isCompressed: Bool

        @inline(__always)
        init(flag: UInt64, size: Int, _ deframer: borrowing MessageDeframer) throws(RPCError) {
            guard flag == 0 || flag == 1 && deframer.takesCompressed else {
                throw RPCError(
                    .internal, flag == 1 ? "a compressed message came without grpc-encoding" : "bad message flag")
            }
            guard size <= deframer.limit else {
                throw RPCError(
                    .resourceExhausted, "a message of \(size) bytes is above the limit of \(deframer.limit)")
            }
            self.size = size
            isCompressed = flag == 1
        }
    }
}
