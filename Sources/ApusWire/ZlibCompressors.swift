// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// The gzip format of RFC 1952, by zlib.
public struct GzipCompressor: Compressor {
    /// From 1, the fastest, to 9, the smallest; 0 only packs.
    public let level: Int

    /// gzip at a level from 0 to 9; others are taken as the nearest of these.
    public init(level: Int = 6) { self.level = min(max(level, 0), 9) }

    /// ``/ApusCore/Compression/gzip``.
    public var compression: Compression { .gzip }

    /// The message in gzip's format; nil when it would not get smaller.
    public func compress(_ message: MessageBytes) throws(RPCError) -> [UInt8]? {
        try ZlibFormat.gzip.compress(message, level: level)
    }

    /// The message in gzip data of one or several members, checked against its CRC.
    public func decompress(_ message: MessageBytes, limit: Int) throws(RPCError) -> [UInt8] {
        try ZlibFormat.gzip.decompress(message, limit: limit)
    }
}

/// The zlib format of RFC 1950, which HTTP and gRPC call deflate, by zlib.
public struct DeflateCompressor: Compressor {
    /// From 1, the fastest, to 9, the smallest; 0 only packs.
    public let level: Int

    /// deflate at a level from 0 to 9; others are taken as the nearest of these.
    public init(level: Int = 6) { self.level = min(max(level, 0), 9) }

    /// ``/ApusCore/Compression/deflate``.
    public var compression: Compression { .deflate }

    /// The message in zlib's format; nil when it would not get smaller.
    public func compress(_ message: MessageBytes) throws(RPCError) -> [UInt8]? {
        try ZlibFormat.deflate.compress(message, level: level)
    }

    /// The message in zlib data, checked against its Adler-32.
    public func decompress(_ message: MessageBytes, limit: Int) throws(RPCError) -> [UInt8] {
        try ZlibFormat.deflate.decompress(message, limit: limit)
    }
}

extension Compressors {
    /// gzip and deflate: what every implementation of gRPC reads.
    public static let standard = Compressors([GzipCompressor(), DeflateCompressor()])
}
