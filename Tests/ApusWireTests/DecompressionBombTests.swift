// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Foundation
import Testing

@Suite struct DecompressionBombTests {
    /// The most memory in bytes that the process had at once.
    private static var peakMemory: Int {
        var usage = rusage()
        #if canImport(Darwin)
            return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0
        #else
            return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? usage.ru_maxrss * 1024 : 0
        #endif
    }

    @Test func `a gigabyte of zeros in a megabyte costs no more than the limit`() throws {
        let piece = MessageBytes([UInt8](repeating: 0, count: 16 << 20))
        let member = try #require(try GzipCompressor(level: 9).compress(piece))
        let bomb = MessageBytes((0..<64).flatMap { _ in member })
        #expect(bomb.count < 1 << 21)
        let before = Self.peakMemory
        #expect(before > 0)
        let error = #expect(throws: RPCError.self) { try GzipCompressor().decompress(bomb, limit: 4 << 20) }
        #expect(error?.code == .resourceExhausted)
        // Other tests run at the same time: enough for them, far from a gigabyte.
        #expect(Self.peakMemory - before < 256 << 20)
    }

    @Test(arguments: ZlibCompressorTests.both)
    func `a single stream of zeros is a bomb as well`(_ compressor: any Compressor) throws {
        let bomb = try #require(try compressor.compress(MessageBytes([UInt8](repeating: 0, count: 32 << 20))))
        #expect(bomb.count < 40 << 10)
        let error = #expect(throws: RPCError.self) { try compressor.decompress(MessageBytes(bomb), limit: 1 << 20) }
        #expect(
            error?.status
                == Status(.resourceExhausted, "a message is above the limit of 1048576 bytes when decompressed"))
    }
}
