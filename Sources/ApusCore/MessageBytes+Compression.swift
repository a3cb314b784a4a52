// SPDX-License-Identifier: Apache-2.0

/// What a message knows of compression. Only the wire sees compressed bytes: there the prefix says so, written with
/// them like every prefix.
extension MessageBytes {
    /// Whether the peer had compressed the message; it is not any more.
    public var arrivedCompressed: Bool { header.arrivedCompressed }

    /// Whether the message is sent as it is, even in a call whose messages are compressed.
    public var staysUncompressed: Bool { header.staysUncompressed }

    /// Says that the message is to be sent as it is, even in a call whose messages are compressed. One that somebody
    /// else has too is copied.
    public mutating func keepUncompressed() {
        if !isKnownUniquelyReferenced(&storage) {
            self = withUnsafeBytes { bytes in MessageBytes(unchecked: bytes.count) { $0.copyMemory(from: bytes) } }
        }
        header.staysUncompressed = true
    }

    /// Whether these are compressed bytes, as the prefix says.
    @inlinable
    package var isCompressed: Bool { storage.withUnsafeMutablePointerToElements { $0.pointee } != 0 }

    /// The bytes of a compressor, on their way to the wire.
    ///
    /// - Throws: INTERNAL when there are more than the prefix can describe.
    package init(compressed bytes: [UInt8]) throws(RPCError) {
        guard bytes.count <= Self.maximumCount else {
            throw RPCError(.internal, "\(bytes.count) compressed bytes do not fit gRPC's 4-byte length")
        }
        self.init(unchecked: bytes.count, compressed: true) { $0.copyBytes(from: bytes) }
    }

    /// A message that a compressor made of bytes from the wire, at most ``maximumCount`` bytes.
    package init(decompressed bytes: [UInt8]) {
        self.init(bytes)
        header.arrivedCompressed = true
    }
}
