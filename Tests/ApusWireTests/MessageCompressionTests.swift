// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

/// Says what it is told to, and keeps no limit.
private struct Careless: Compressor {
    var compression: Compression { "careless" }
    var smaller: [UInt8]?
    var larger: [UInt8] = []
    func compress(_ message: MessageBytes) throws(RPCError) -> [UInt8]? { smaller }
    func decompress(_ message: MessageBytes, limit: Int) throws(RPCError) -> [UInt8] { larger }
}

@Suite struct MessageCompressionTests {
    private static let zeros = MessageBytes([UInt8](repeating: 0, count: 1000))

    private static func frame(_ message: MessageBytes) -> [UInt8] { message.withUnsafeFrame { [UInt8]($0) } }

    @Test func `a compressed message says so in its prefix`() throws {
        let compressed = try Self.zeros.compressed(by: GzipCompressor())
        #expect(compressed.isCompressed && compressed.count < 100)
        #expect(Self.frame(compressed).prefix(5) == [1, 0, 0, 0, UInt8(compressed.count)])
        #expect(Self.frame(Self.zeros).prefix(5) == [0, 0, 0, 3, 232])
    }

    @Test func `what comes back is the message, and tells how it came`() throws {
        let back = try Self.zeros.compressed(by: GzipCompressor()).decompressed(by: GzipCompressor(), limit: 1000)
        #expect(back == Self.zeros)
        #expect(back.arrivedCompressed && !back.isCompressed)
        #expect(Self.frame(back) == Self.frame(Self.zeros))
        #expect(!Self.zeros.arrivedCompressed)
    }

    @Test func `small, empty and growing messages go as they are`() throws {
        let careless = Careless(smaller: [UInt8](repeating: 1, count: 1000))
        #expect(try !Self.zeros.compressed(by: careless).isCompressed)
        #expect(try !Self.zeros.compressed(by: Careless(smaller: nil)).isCompressed)
        #expect(try !MessageBytes([]).compressed(by: Careless(smaller: [])).isCompressed)
        #expect(try !Self.zeros.compressed(by: GzipCompressor(), minimum: 1001).isCompressed)
        #expect(try Self.zeros.compressed(by: GzipCompressor(), minimum: 1000).isCompressed)
    }

    @Test func `a message that is to stay uncompressed does, and only that one`() throws {
        var message = Self.zeros
        message.keepUncompressed()
        #expect(message == Self.zeros)
        #expect(try !message.compressed(by: GzipCompressor()).isCompressed)
        #expect(message.staysUncompressed && !Self.zeros.staysUncompressed)
        #expect(try Self.zeros.compressed(by: GzipCompressor()).isCompressed)
    }

    @Test func `an uncompressed message in a compressed call is left alone`() throws {
        #expect(try Self.zeros.decompressed(by: Careless(larger: [1]), limit: 10) == Self.zeros)
    }

    @Test func `a compressor that keeps no limit is kept to it`() throws {
        let message = try MessageBytes(compressed: [1, 2])
        let careless = Careless(larger: [1, 2, 3])
        #expect(try message.decompressed(by: careless, limit: 3).bytes == [1, 2, 3])
        let error = #expect(throws: RPCError.self) { try message.decompressed(by: careless, limit: 2) }
        #expect(error?.code == .resourceExhausted)
    }

    @Test func `compressed messages come out of the deframer as they are, where they may`() throws {
        let frame = Self.frame(try MessageBytes(compressed: [5, 6, 7]))
        var deframer = MessageDeframer(limit: 3)
        deframer.takesCompressed = true
        let message = try frame.withUnsafeBytes { bytes in
            var rest = bytes
            return try deframer.next(&rest)
        }
        #expect(message?.isCompressed == true)
        #expect(message?.bytes == [5, 6, 7])
        let error = #expect(throws: RPCError.self) {
            try [UInt8]([2, 0, 0, 0, 0]).withUnsafeBytes { bytes in
                var rest = bytes
                _ = try deframer.next(&rest)
            }
        }
        #expect(error?.status == Status(.internal, "bad message flag"))
    }
}

@Suite struct AcceptedEncodingsTests {
    private static func accepted(_ values: [String]) -> [String] {
        var accepted = AcceptedEncodings()
        for value in values { value.onWire { accepted.add($0, .standard) } }
        return [Compression.gzip, .deflate].filter { compression in
            Compressors.standard.index(of: compression).map { accepted.contains($0) } == true
        }.map(\.name)
    }

    @Test(
        arguments: [
            ([], []), ([""], []), (["identity"], []), (["gzip"], ["gzip"]),
            (["identity,deflate,gzip"], ["gzip", "deflate"]), (["identity, deflate, gzip"], ["gzip", "deflate"]),
            ([" ,, deflate\t,"], ["deflate"]), (["gzi", "zip", "gzipp", "GZIP"], []),
            (["br, gzip", "zstd,deflate"], ["gzip", "deflate"]), (["gzip;q=1"], []),
        ] as [([String], [String])])
    func `a list of names is read however it is spaced`(_ values: [String], _ names: [String]) {
        #expect(Self.accepted(values) == names)
    }
}

@Suite struct CompressorsTests {
    @Test func `compressors are found by name, the first of two`() {
        let compressors = Compressors([GzipCompressor(level: 1), DeflateCompressor(), GzipCompressor(level: 9)])
        #expect((compressors[.gzip] as? GzipCompressor)?.level == 1)
        #expect(compressors["deflate"] is DeflateCompressor)
        #expect(compressors["br"] == nil && compressors[.identity] == nil && Compressors.none[.gzip] == nil)
        #expect(Compressors.standard.compressions == [.gzip, .deflate])
    }
}
