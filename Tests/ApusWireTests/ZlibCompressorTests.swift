// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct ZlibCompressorTests {
    static let both: [any Compressor] = [GzipCompressor(), DeflateCompressor()]

    private static let text = Array(String(repeating: "hello ", count: 20).utf8)
    // What another program makes of the text: Python's gzip and zlib modules.
    private static let gzipped: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 87, 200, 160, 59, 9, 0, 47, 250, 248, 72, 120, 0, 0, 0,
    ]
    private static let deflated: [UInt8] = [
        120, 156, 203, 72, 205, 201, 201, 87, 200, 160, 59, 9, 0, 119, 186, 44, 17,
    ]

    private static func foreign(_ compressor: any Compressor) -> [UInt8] {
        compressor.compression == .gzip ? gzipped : deflated
    }

    private static func inflate(
        _ bytes: [UInt8], _ compressor: any Compressor, limit: Int = 1 << 20
    ) throws(RPCError) -> [UInt8] {
        try compressor.decompress(MessageBytes(bytes), limit: limit)
    }

    /// The status that decompression ends with; nil if it succeeds.
    private static func status(
        _ bytes: [UInt8], _ compressor: any Compressor, limit: Int = 1 << 20
    ) -> Status? {
        do throws(RPCError) {
            _ = try inflate(bytes, compressor, limit: limit)
            return nil
        } catch {
            return error.status
        }
    }

    private static func corrupt(_ compressor: any Compressor, _ why: String) -> Status {
        Status(.internal, "a message's \(compressor.compression) data is corrupt: \(why)")
    }

    @Test(arguments: both, [100, 200, 511, 512, 513, 16384, 16385, 32768, 70_000, 1 << 20])
    func `a message comes back as it went, whatever its size`(_ compressor: any Compressor, _ size: Int) throws {
        let random = SplitMixRandom(seed: UInt64(size))
        let message = (0..<size).map { _ in UInt8(random.index(below: 20)) }
        let compressed = try #require(try compressor.compress(MessageBytes(message)))
        #expect(compressed.count < size)
        #expect(try Self.inflate(compressed, compressor, limit: size) == message)
    }

    @Test(arguments: both)
    func `what does not get smaller is not compressed`(_ compressor: any Compressor) throws {
        let random = SplitMixRandom(seed: 1)
        for message in [[], [7], Array("hello".utf8), (0..<5000).map { _ in UInt8(random.index(below: 256)) }] {
            #expect(try compressor.compress(MessageBytes(message)) == nil, "\(message.count) bytes")
        }
    }

    @Test func `levels trade time for size, and any number is one`() throws {
        let random = SplitMixRandom(seed: 2)
        let message = MessageBytes((0..<50_000).map { _ in UInt8(random.index(below: 7) * random.index(below: 5)) })
        let fast = try #require(try GzipCompressor(level: 1).compress(message))
        let small = try #require(try GzipCompressor(level: 99).compress(message))
        #expect(small.count < fast.count)
        #expect(GzipCompressor(level: 99).level == 9 && DeflateCompressor(level: -3).level == 0)
        #expect(try GzipCompressor(level: 0).compress(message) == nil)
    }

    @Test(arguments: both)
    func `another program's data is read`(_ compressor: any Compressor) throws {
        #expect(try Self.inflate(Self.foreign(compressor), compressor) == Self.text)
    }

    @Test(arguments: both)
    func `data that ends early is INTERNAL wherever it ends`(_ compressor: any Compressor) {
        let data = Self.foreign(compressor)
        for count in data.indices {
            let status = Self.status(Array(data.prefix(count)), compressor)
            #expect(status == Self.corrupt(compressor, "its end is missing"), "after \(count) bytes")
        }
    }

    @Test(arguments: both)
    func `a changed bit is noticed or changes nothing`(_ compressor: any Compressor) {
        let data = Self.foreign(compressor)
        var noticed = 0
        for bit in 0..<(data.count * 8) {
            var changed = data
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            do throws(RPCError) {
                #expect(try Self.inflate(changed, compressor) == Self.text, "bit \(bit)")
            } catch {
                #expect(error.code == .internal || error.code == .resourceExhausted, "bit \(bit): \(error)")
                noticed += 1
            }
        }
        // All but those of gzip's header that say when and where it was made.
        #expect(noticed > data.count * 5)
    }

    @Test(arguments: both)
    func `random bytes are refused`(_ compressor: any Compressor) {
        let random = SplitMixRandom(seed: 4)
        let header = compressor.compression == .gzip ? Self.gzipped.prefix(10) : Self.deflated.prefix(2)
        for round in 0..<2000 {
            let bytes = (0..<random.index(below: 200)).map { _ in UInt8(random.index(below: 256)) }
            let status = Self.status(round % 2 == 0 ? bytes : header + bytes, compressor, limit: 1000)
            #expect(status?.code == .internal || status?.code == .resourceExhausted)
        }
    }

    @Test func `gzip may have several members, deflate is one`() throws {
        #expect(try Self.inflate(Self.gzipped + Self.gzipped, GzipCompressor()) == Self.text + Self.text)
        #expect(
            Self.status(Self.deflated + [0], DeflateCompressor())
                == Self.corrupt(DeflateCompressor(), "bytes follow its end"))
        #expect(Self.status(Self.gzipped + [0], GzipCompressor())?.code == .internal)
    }

    @Test func `deflate without zlib's header, or with a dictionary, is refused`() {
        let raw: [UInt8] = [203, 72, 205, 201, 201, 87, 200, 160, 59, 9, 0]
        #expect(Self.status(raw, DeflateCompressor())?.code == .internal)
        let withDictionary: [UInt8] = [120, 187, 25, 145, 4, 73, 203, 64, 48, 233, 74, 2, 0, 119, 186, 44, 17]
        #expect(
            Self.status(withDictionary, DeflateCompressor())
                == Self.corrupt(DeflateCompressor(), "it needs a dictionary"))
    }

    @Test(arguments: both)
    func `the limit is exact`(_ compressor: any Compressor) throws {
        let data = Self.foreign(compressor)
        #expect(try Self.inflate(data, compressor, limit: 120) == Self.text)
        let status = Status(.resourceExhausted, "a message is above the limit of 119 bytes when decompressed")
        #expect(Self.status(data, compressor, limit: 119) == status)
        #expect(Self.status(data, compressor, limit: 0)?.code == .resourceExhausted)
    }
}
