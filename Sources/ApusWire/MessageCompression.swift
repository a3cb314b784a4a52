// SPDX-License-Identifier: Apache-2.0

package import ApusCore

extension MessageBytes {
    /// The message as it goes to the wire in a call with this compression: as it is when that was asked for, when it
    /// has fewer bytes than `minimum`, or when compressed it is not smaller.
    package func compressed(by compressor: any Compressor, minimum: Int = 0) throws(RPCError) -> MessageBytes {
        guard !isEmpty, count >= minimum, !staysUncompressed else { return self }
        guard let bytes = try compressor.compress(self), bytes.count < count else { return self }
        return try MessageBytes(compressed: bytes)
    }

    /// The message in compressed bytes from the wire; itself if it is not compressed.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when it is larger than `limit`; INTERNAL when it is no compressed message.
    package func decompressed(by compressor: any Compressor, limit: Int) throws(RPCError) -> MessageBytes {
        guard isCompressed else { return self }
        let limit = min(limit, Self.maximumCount)
        let bytes = try compressor.decompress(self, limit: limit)
        guard bytes.count <= limit else {
            throw RPCError(.resourceExhausted, "a message of \(bytes.count) bytes is above the limit of \(limit)")
        }
        return MessageBytes(decompressed: bytes)
    }
}
