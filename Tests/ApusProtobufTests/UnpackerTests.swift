// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusProtobuf

/// What the reader does beside its way through the bytes: counting ahead for lists, and merging.
struct UnpackerTests {
    private let sevenNumbers = Array(repeatElement(Wire.number(4, 7), count: 7).joined())

    @Test func `lists that take turns all get their elements`() throws {
        let turn = Wire.number(4, 1) + Wire.text(14, "a") + Wire.data(17, Wire.number(3, 9)) + Wire.number(18, 2)
        let lists = try Lists(serialized: Array(repeatElement(turn, count: 1000).joined()))
        #expect(lists.int64s == [Int64](repeating: 1, count: 1000))
        #expect(lists.strings == [String](repeating: "a", count: 1000))
        #expect(lists.scalars == [Scalars](repeating: Scalars(anInt32: 9), count: 1000))
        #expect(lists.unpacked == [Int32](repeating: 2, count: 1000))
    }

    @Test func `runs and single elements of one list keep their order`() throws {
        var bytes: [UInt8] = []
        for number in 0..<50 as Range<UInt64> {
            bytes += Wire.number(4, 3 * number)
            bytes += Wire.data(4, Wire.varint(3 * number + 1) + Wire.varint(3 * number + 2)) + Wire.data(4, [])
        }
        #expect(try Lists(serialized: bytes).int64s == Array(0..<150))
    }

    @Test func `a message in two pieces has the elements of both`() throws {
        let piece = Wire.data(4, Wire.data(4, Wire.text(1, "leaf")))
        let pieces = Array(repeatElement(Wire.data(2, piece), count: 9).joined())
        #expect(try Tree(serialized: pieces).left?.more.count == 9)
    }

    @Test func `a list with groups beside it grows as it is filled`() throws {
        let item = Wire.group(3, Wire.number(1, 5) + Array(repeatElement(Wire.number(2, 6), count: 40).joined()))
        let groups = try LegacyGroups(serialized: Array(repeatElement(item, count: 100).joined()))
        #expect(groups.item.count == 100)
        #expect(groups.item.allSatisfy { $0.id == 5 && $0.numbers == [Int32](repeating: 6, count: 40) })
    }

    @Test func `counting ahead goes no deeper into unknown groups than reading does`() {
        let open = Array(repeatElement(Wire.tag(90, 3), count: 1_000_000).joined())
        let error = #expect(throws: RPCError.self) { try Lists(serialized: sevenNumbers + open) }
        #expect(error?.message.contains("nested too deep") == true)
    }

    @Test func `what is malformed behind a long list is refused with its place`() {
        let error = #expect(throws: RPCError.self) {
            try Lists(serialized: sevenNumbers + Wire.data(14, [0xFF]) + sevenNumbers)
        }
        #expect(error?.message == "malformed test.everything.Lists.strings: a string is not UTF-8, at byte 16")
    }

    @Test func `numbers of every length are read wherever the bytes end`() throws {
        for length in 1...10 as ClosedRange<UInt64> {
            let value: UInt64 = length == 10 ? .max : 1 << (7 * length - 1)
            let field = Wire.number(6, value)
            #expect(try Scalars(serialized: field).aUint64 == value)
            #expect(try Scalars(serialized: field + Wire.text(14, "twelve bytes")).aUint64 == value)
            for end in 1..<field.count {
                #expect(throws: RPCError.self) { try Scalars(serialized: Array(field.prefix(end))) }
            }
        }
        let endless = Wire.tag(6, 0) + [UInt8](repeating: 0xFF, count: 10) + [1]
        #expect(throws: RPCError.self) { try Scalars(serialized: endless) }
        #expect(throws: RPCError.self) { try Scalars(serialized: endless + Wire.text(14, "twelve bytes")) }
    }

    @Test func `one byte that is no ASCII is found at each place of texts of each length`() {
        for length in 1...40 {
            for place in 0..<length {
                var text = [UInt8](repeating: 0x61, count: length)
                text[place] = 0xFF
                #expect(throws: RPCError.self) { try Scalars(serialized: Wire.data(14, text)) }
            }
        }
    }
}
