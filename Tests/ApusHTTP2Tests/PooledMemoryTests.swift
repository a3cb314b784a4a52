// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

@Suite struct PooledMemoryTests {
    private let memory = PooledMemory()

    private func filled(_ size: Int, _ byte: UInt8) throws -> UnsafeMutableRawPointer {
        let block = try #require(memory.allocate(size))
        block.initializeMemory(as: UInt8.self, repeating: byte, count: size)
        return block
    }

    private func bytes(_ block: UnsafeMutableRawPointer, _ size: Int) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: block, count: size))
    }

    @Test func `a block that was given back is the next one of its size`() throws {
        let first = try filled(100, 1)
        memory.release(first)
        #expect(memory.waiting == 112)
        #expect(memory.allocate(105) == first)
        #expect(memory.waiting == 0)
        memory.release(first)
    }

    @Test func `blocks in use do not overlap, whatever their sizes`() throws {
        var random = SystemRandomNumberGenerator()
        var blocks: [(UnsafeMutableRawPointer, Int, UInt8)] = []
        for step in 0..<20_000 {
            if blocks.count > 100 || (step % 3 == 0 && !blocks.isEmpty) {
                let (block, size, byte) = blocks.remove(at: Int.random(in: 0..<blocks.count, using: &random))
                #expect(bytes(block, size).allSatisfy { $0 == byte })
                memory.release(block)
            } else {
                let size = Int.random(in: 0...2048, using: &random)
                blocks.append((try filled(size, UInt8(step % 251)), size, UInt8(step % 251)))
            }
        }
        for (block, _, _) in blocks { memory.release(block) }
        #expect(memory.waiting > 0)
        memory.trim()
        #expect(memory.waiting == 0)
    }

    // Sizes of sessions and frame buffers among others.
    @Test func `sessions and their frame buffers keep their bytes, in whatever order they come and go`() throws {
        var random = SystemRandomNumberGenerator()
        var blocks: [(UnsafeMutableRawPointer, Int, UInt8)] = []
        for step in 0..<5_000 {
            if blocks.count > 50 || (step % 3 == 0 && !blocks.isEmpty) {
                let (block, size, byte) = blocks.remove(at: Int.random(in: 0..<blocks.count, using: &random))
                #expect(bytes(block, size).allSatisfy { $0 == byte })
                memory.release(block)
            } else {
                let sizes = [2_303, 2_304, 2_944, 3_328, 3_329, 16_384, 16_385, 16_410, 16_896, 16_897]
                let size = try #require(sizes.randomElement(using: &random))
                let block = try filled(size, UInt8(step % 251))
                #expect(UInt(bitPattern: block) % 16 == 0)
                blocks.append((block, size, UInt8(step % 251)))
            }
        }
        for (block, _, _) in blocks { memory.release(block) }
    }

    @Test func `a session and the frame buffer that follows share a page, once`() throws {
        let session = try filled(2_944, 1)
        let buffer = try filled(16_410, 2)
        #expect(UInt(bitPattern: session) / 4096 == UInt(bitPattern: buffer) / 4096)
        let other = try filled(16_410, 3)
        #expect(UInt(bitPattern: session) / 4096 != UInt(bitPattern: other) / 4096)
        #expect(bytes(session, 2_944).allSatisfy { $0 == 1 })
        memory.release(session)
        #expect(bytes(buffer, 16_410).allSatisfy { $0 == 2 })
        for block in [buffer, other] { memory.release(block) }
    }

    @Test func `no frame buffer goes to the pages of a session that is gone`() throws {
        memory.release(try filled(2_944, 1))
        let buffer = try filled(16_410, 2)
        #expect(bytes(buffer, 16_410).allSatisfy { $0 == 2 })
        memory.release(buffer)
    }

    @Test(arguments: [0, 1, 15, 16, 100, 1024, 1025, 2944, 5000, 16_410])
    func `a block that grows or shrinks keeps its bytes`(_ size: Int) throws {
        for other in [0, 1, 16, 17, 1000, 1024, 1025, 2944, 4096, 16_410, 100_000] {
            let block = try filled(size, 7)
            let moved = try #require(memory.reallocate(block, other))
            #expect(bytes(moved, min(size, other)).allSatisfy { $0 == 7 })
            memory.release(moved)
        }
    }

    @Test func `no block is as good as an empty one to grow`() throws {
        let block = try #require(memory.reallocate(nil, 40))
        memory.release(block)
        #expect(memory.waiting == 48)
    }

    @Test func `sizes that no memory has are refused`() {
        #expect(memory.allocate(.max) == nil)
        #expect(memory.allocate(-1) == nil)
    }

    @Test func `no more than 256 KiB wait`() throws {
        let blocks = try (0..<1000).map { _ in try filled(1000, 1) }
        for block in blocks { memory.release(block) }
        #expect(memory.waiting <= 256 * 1024 + 1024)
        #expect(memory.waiting > 200 * 1024)
    }

    private func talk() throws {
        let pair = try SessionPair(clientMemory: memory, serverMemory: memory)
        pair.server.onFields = { pair.server.session.submitResponse(SessionPair.ok, stream: $0, end: true) }
        for _ in 0..<20 {
            _ = try pair.request([1, 2, 3])
            try pair.exchange()
        }
        pair.server.onFields = { _ in }
        #expect(pair.server.streams.count == 20)
    }

    @Test func `sessions with pooled memory give all of it back`() throws {
        try talk()
        let waiting = memory.waiting
        #expect(waiting > 0)
        for _ in 0..<10 { try talk() }
        #expect(memory.waiting == waiting)
    }
}
