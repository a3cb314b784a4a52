// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

@Suite struct OutputBufferTests {
    private final class Owner {
        let bytes: UnsafeMutableRawBufferPointer
        init(_ count: Int, _ byte: UInt8) {
            bytes = .allocate(byteCount: count, alignment: 1)
            bytes.initializeMemory(as: UInt8.self, repeating: byte)
        }
        deinit { bytes.deallocate() }
        var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }
    }

    private static func copy(_ bytes: [UInt8], into output: OutputBuffer) {
        bytes.withUnsafeBytes { output.append(copying: $0) }
    }

    @Test func `small pieces are copied into one run`() {
        let output = OutputBuffer()
        #expect(output.isEmpty)
        for index in 0..<100 { Self.copy([UInt8(index)], into: output) }
        #expect(output.pieces.count == 1 && output.count == 100)
        #expect(output.remainder(from: 0) == (0..<100).map { UInt8($0) })
        Self.copy([], into: output)
        #expect(output.count == 100)
    }

    @Test func `large pieces are referenced and kept alive until the reset`() {
        let output = OutputBuffer()
        weak var released: Owner?
        do {
            let owner = Owner(OutputBuffer.referenceThreshold, 7)
            released = owner
            Self.copy([1], into: output)
            output.append(owner.raw, owner: owner)
            Self.copy([2], into: output)
            #expect(output.pieces.count == 3)
            #expect(output.pieces[1].start == owner.bytes.baseAddress)
        }
        #expect(released != nil)
        let expected = [1] + [UInt8](repeating: 7, count: OutputBuffer.referenceThreshold) + [2]
        #expect(output.remainder(from: 0) == expected)
        output.reset()
        #expect(released == nil && output.isEmpty && output.pieces.isEmpty)
    }

    @Test func `a short piece with an owner is copied, and the owner let go`() {
        let output = OutputBuffer()
        weak var released: Owner?
        do {
            let owner = Owner(OutputBuffer.referenceThreshold - 1, 3)
            released = owner
            output.append(owner.raw, owner: owner)
        }
        #expect(released == nil)
        #expect(output.remainder(from: 0) == [UInt8](repeating: 3, count: OutputBuffer.referenceThreshold - 1))
    }

    @Test func `the remainder begins at any offset`() {
        let output = OutputBuffer()
        let owner = Owner(3000, 9)
        Self.copy(Array(0..<50), into: output)
        output.append(owner.raw, owner: owner)
        Self.copy(Array(50..<99), into: output)
        let all = output.remainder(from: 0)
        #expect(all.count == output.count)
        for offset in [0, 1, 49, 50, 51, 3049, 3050, 3051, all.count - 1, all.count] {
            #expect(output.remainder(from: offset) == Array(all[offset...]), "from \(offset)")
        }
    }

    @Test func `it is full at its mark, and takes what comes after that whole`() {
        let output = OutputBuffer()
        let chunk = [UInt8](repeating: 1, count: 16 * 1024)
        for _ in 0..<3 { Self.copy(chunk, into: output) }
        #expect(!output.isFull)
        Self.copy(chunk, into: output)
        #expect(output.isFull)
        // More than its scratch area holds: nothing is lost.
        for _ in 0..<20 { Self.copy(chunk, into: output) }
        #expect(output.count == 24 * chunk.count)
        #expect(output.remainder(from: 0) == [UInt8](repeating: 1, count: 24 * chunk.count))
        output.reset()
        Self.copy([1, 2], into: output)
        #expect(output.pieces.count == 1 && output.remainder(from: 0) == [1, 2])
    }

    @Test func `for a socket that takes much it gathers more, and forgets nothing of that`() {
        let output = OutputBuffer()
        output.limit = OutputBuffer.highestWaterMark
        let chunk = (0..<16 * 1024).map { UInt8(truncatingIfNeeded: $0) }
        while !output.isFull { Self.copy(chunk, into: output) }
        #expect(output.count == OutputBuffer.highestWaterMark)
        #expect(output.remainder(from: output.count - chunk.count) == chunk)
    }

    @Test func `many pieces make it full too`() {
        let output = OutputBuffer()
        let owner = Owner(OutputBuffer.referenceThreshold, 1)
        var pieces = 0
        while !output.isFull {
            output.append(owner.raw, owner: owner)
            pieces += 1
        }
        #expect(pieces <= 256 && output.count == pieces * OutputBuffer.referenceThreshold)
    }

    @Test func `a session stops at the mark and goes on after the write`() throws {
        let pair = try SessionPair()
        try pair.exchange()
        let request = try pair.request([UInt8](repeating: 4, count: 300_000))
        var sizes: [Int] = []
        while true {
            let bytes = try pair.client.drain()
            if bytes.isEmpty { break }
            sizes.append(bytes.count)
            try pair.server.receive(bytes)
        }
        #expect(sizes.count >= 4)
        #expect(sizes.allSatisfy { $0 < OutputBuffer.highWaterMark + 17 * 1024 })
        #expect(request.outgoing.isEmpty && pair.server.streams.first?.received.count == 300_000)
    }
}
