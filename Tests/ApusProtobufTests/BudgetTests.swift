// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

/// The memory that a message takes while it is read is bounded, and no legal message is refused for tables that
/// libprotobuf-c would keep beside it.
struct BudgetTests {
    private func repeated(_ bytes: [UInt8], to count: Int = 4 << 20) -> [UInt8] {
        var all = bytes
        all.reserveCapacity(count)
        while 2 * all.count <= count { all += all }
        return all + all.prefix((count - all.count) / bytes.count * bytes.count)
    }

    @Test func `four megabytes of the smallest elements are read`() throws {
        #expect(try Lists(serialized: repeated(Wire.number(4, 7))).int64s.count == 2 << 20)
        #expect(try Lists(serialized: repeated(Wire.data(14, []))).strings.count == 2 << 20)
        #expect(try Lists(serialized: repeated(Wire.number(13, 1))).bools.count == 2 << 20)
        let packed = Wire.data(4, [UInt8](repeating: 1, count: 4 << 20))
        #expect(try Lists(serialized: packed).int64s.count == 4 << 20)
        #expect(try Tree(serialized: Wire.data(2, repeated(Wire.text(1, "")))).left == Tree())
        #expect(try Nothing(serialized: repeated(Wire.number(1, 1))).unknownFields.bytes.count == 4 << 20)
    }

    @Test func `elements and unknown fields in turns are read`() throws {
        let lists = try Lists(serialized: repeated(Wire.number(4, 1) + Wire.number(15, 1)))
        #expect(lists.int64s.count == 1 << 20 && lists.unknownFields.bytes.count == 2 << 20)
    }

    @Test func `four megabytes that would become hundreds are refused`() throws {
        let messages = repeated(Wire.data(17, []))
        #expect(try #require(throws: RPCError.self) { try Lists(serialized: messages) }.code == .resourceExhausted)
        // A oneof that changes its mind two million times.
        let flips = repeated(Wire.data(4, []) + Wire.data(5, []))
        #expect(try #require(throws: RPCError.self) { try Choices(serialized: flips) }.code == .resourceExhausted)
    }
}
