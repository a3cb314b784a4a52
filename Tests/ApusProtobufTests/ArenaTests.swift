// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusProtobuf

struct ArenaTests {
    @Test func `a huge message leaves nothing in the thread's arena`() throws {
        let lists = Lists(strings: Array(repeating: String(repeating: "x", count: 900), count: 5000))
        #expect(try Lists(serialized: lists.serializedBytes()) == lists)
        try expectEmptyArena()
    }

    @Test func `an arena is given back when decoding fails halfway`() throws {
        let many = Array(repeatElement(Wire.data(17, []), count: 1_000_000).joined())
        #expect(throws: RPCError.self) { try Lists(serialized: many) }
        try expectEmptyArena()
        #expect(throws: RPCError.self) { try Scalars(serialized: Wire.data(14, [0xFF])) }
        try expectEmptyArena()
    }

    @Test func `a thread that codes while it codes gets another arena`() {
        let first = Arena.take(budget: .max)
        let second = Arena.take(budget: .max)
        #expect(first.state != second.state)
        #expect(second.state.pointee.isTemporary)
        second.giveBack()
        first.giveBack()
    }

    @Test func `memory is aligned, separate, and may be larger than a chunk`() {
        let arena = Arena.take(budget: .max)
        defer { arena.giveBack() }
        var end = UInt(0)
        for size in [1, 7, 8, 9, 31, 40_000, 3, 5_000_000, 1] {
            let memory = arena.allocate(size)
            memory.initializeMemory(as: UInt8.self, repeating: 0xAA, count: size)
            #expect(UInt(bitPattern: memory) % 8 == 0)
            #expect(UInt(bitPattern: memory) != end)
            end = UInt(bitPattern: memory)
        }
    }

    private func expectEmptyArena() throws {
        let arena = Arena.take(budget: .max)
        defer { arena.giveBack() }
        #expect(!arena.state.pointee.isTemporary)
        #expect(arena.state.pointee.laterChunks == nil)
        #expect(arena.state.pointee.pinned.isEmpty)
        #expect(arena.state.pointee.cursor == arena.state.pointee.firstChunk)
    }
}
