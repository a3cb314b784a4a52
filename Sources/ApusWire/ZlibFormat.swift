// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CZlib

/// One message through zlib, with a context that nothing else has used. Source: zlib.h.
struct ZlibFormat: Sendable {
    let compression: Compression
    /// What zlib adds to the window's bits for the format.
    let formatBits: Int32
    /// Whether several compressed pieces may follow each other, as gzip allows (RFC 1952, section 2.2).
    let hasMembers: Bool

    static let gzip = ZlibFormat(compression: .gzip, formatBits: 16, hasMembers: true)
    static let deflate = ZlibFormat(compression: .deflate, formatBits: 0, hasMembers: false)

    private static let largestWindowBits: Int32 = 15
    private static let chunk = 16 * 1024

    // MARK: Compression

    /// The message compressed; nil when it does not get smaller.
    func compress(_ message: MessageBytes, level: Int) throws(RPCError) -> [UInt8]? {
        // Messages have 32 bits of length, as much as zlib's counters.
        guard let room = UInt32(exactly: message.count - 1), room > 0 else { return nil }
        var stream = z_stream()
        let windowBits = Self.windowBits(message.count)
        let status = apus_zlib_deflate_init(
            &stream, Int32(clamping: level), windowBits + formatBits, min(windowBits - 6, MAX_MEM_LEVEL - 1))
        guard status == Z_OK else { throw outOfMemory }
        defer { deflateEnd(&stream) }
        var isComplete = false
        let output = [UInt8](unsafeUninitializedCapacity: Int(room)) { output, count in
            isComplete = message.withUnsafeBytes { Self.deflateAll($0, to: output, &stream) }
            count = output.count - Int(stream.avail_out)
        }
        return isComplete ? output : nil
    }

    // No larger than the message: zlib clears tables of this size for each, and a small window compresses no worse.
    private static func windowBits(_ count: Int) -> Int32 {
        min(max(Int32(Int.bitWidth - count.leadingZeroBitCount), 9), largestWindowBits)
    }

    private static func deflateAll(
        _ input: UnsafeRawBufferPointer, to output: UnsafeMutableBufferPointer<UInt8>, _ stream: inout z_stream
    ) -> Bool {
        // zlib reads through this pointer and does not write; it is valid until deflate returns.
        stream.next_in = UnsafeMutablePointer(mutating: input.assumingMemoryBound(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(clamping: input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(clamping: output.count)
        return CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END
    }

    // MARK: Decompression

    /// The message that was compressed, at most `limit` bytes.
    func decompress(_ message: MessageBytes, limit: Int) throws(RPCError) -> [UInt8] {
        var stream = z_stream()
        guard apus_zlib_inflate_init(&stream, Self.largestWindowBits + formatBits) == Z_OK else { throw outOfMemory }
        defer { inflateEnd(&stream) }
        return try message.withUnsafeBytes { (input) throws(RPCError) in
            // zlib reads through this pointer and does not write; the stream ends before the pointer does.
            stream.next_in = UnsafeMutablePointer(mutating: input.assumingMemoryBound(to: UInt8.self).baseAddress)
            stream.avail_in = UInt32(clamping: input.count)
            return try inflateAll(&stream, limit: limit)
        }
    }

    private func inflateAll(_ stream: inout z_stream, limit: Int) throws(RPCError) -> [UInt8] {
        var output: [UInt8] = []
        while true {
            let (status, isFull) = Self.inflateChunk(&stream, to: &output)
            guard output.count <= limit else { throw tooLarge(limit) }
            switch status {
            case Z_STREAM_END where stream.avail_in == 0: return output
            case Z_STREAM_END:
                guard hasMembers, inflateReset(&stream) == Z_OK else { throw corrupt("bytes follow its end") }
            case Z_OK, Z_BUF_ERROR:
                // There was room, so there was nothing left to read.
                guard isFull else { throw corrupt("its end is missing") }
            case Z_MEM_ERROR: throw outOfMemory
            case Z_NEED_DICT: throw corrupt("it needs a dictionary")
            default: throw corrupt(stream.msg.map { String(cString: $0) } ?? "zlib error \(status)")
            }
        }
    }

    // In pieces, so that memory grows with what really comes out. Z_FINISH: what fits one piece needs no window.
    private static func inflateChunk(_ stream: inout z_stream, to output: inout [UInt8]) -> (Int32, isFull: Bool) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: chunk) { piece in
            stream.next_out = piece.baseAddress
            stream.avail_out = UInt32(chunk)
            let status = inflate(&stream, Z_FINISH)
            output.append(contentsOf: piece[..<(chunk - Int(stream.avail_out))])
            return (status, stream.avail_out == 0)
        }
    }

    // MARK: Errors

    private func corrupt(_ why: String) -> RPCError {
        RPCError(.internal, "a message's \(compression) data is corrupt: \(why)")
    }

    private func tooLarge(_ limit: Int) -> RPCError {
        RPCError(.resourceExhausted, "a message is above the limit of \(limit) bytes when decompressed")
    }

    private var outOfMemory: RPCError { RPCError(.resourceExhausted, "no memory for \(compression)") }
}
