// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

/// Bytes damaged in every way that a seed can think of: no crash, and the same verdict as protoc's.
struct HostileBytesTests {
    /// SplitMix64: the same numbers on every machine.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private func samples() throws -> [[UInt8]] {
        try [
            Samples.scalars.serializedBytes(), Samples.optionals.serializedBytes(), Samples.lists.serializedBytes(),
            Samples.maps.serializedBytes(), Samples.tree.serializedBytes(), Samples.imports.serializedBytes(),
            Samples.names.serializedBytes(), Samples.sparse.serializedBytes(), Samples.outer.serializedBytes(),
        ] + Samples.choices.map { try $0.0.serializedBytes() }
    }

    /// Whether the bytes are such a message. What was read can be written, and reads the same again.
    private func admits<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws -> Bool {
        let message: M
        do {
            message = try M(serialized: bytes)
        } catch {
            #expect(error.code == .internal)
            return false
        }
        let written = try message.serializedBytes()
        #expect(try M(serialized: written).serializedBytes().count == written.count)
        return true
    }

    private func tryAllTypes(_ bytes: [UInt8]) throws -> Int {
        let verdicts = try [
            admits(Scalars.self, bytes), admits(Optionals.self, bytes), admits(Lists.self, bytes),
            admits(Maps.self, bytes), admits(Choices.self, bytes), admits(Tree.self, bytes), admits(Outer.self, bytes),
            admits(Imports.self, bytes), admits(Names.self, bytes), admits(Sparse.self, bytes),
            admits(Nothing.self, bytes),
        ]
        return verdicts.count { $0 }
    }

    @Test func `messages cut off at every byte are read or refused`() throws {
        var refused = 0
        for sample in try samples() {
            for length in 0..<sample.count where try tryAllTypes(Array(sample.prefix(length))) < 11 { refused += 1 }
            #expect(try tryAllTypes(sample) > 0)
        }
        #expect(refused > 0)
    }

    @Test func `damaged messages are read or refused`() async throws {
        var random = Seeded(state: 1)
        let samples = try samples()
        var read = 0
        for round in 0..<20_000 {
            if round % 100 == 0 { await Task.yield() }
            read += try tryAllTypes(damaged(samples[random.index(samples.count)], &random))
        }
        #expect(read > 0)
    }

    @Test func `damaged messages get the verdict and the meaning that protoc gives them`() async throws {
        var random = Seeded(state: 2)
        // No maps: protoc's tool keeps unknown fields inside of their entries, its generated code does not.
        let choices = try Samples.choices.flatMap { try $0.0.serializedBytes() }
        for _ in 0..<40 {
            await Task.yield()
            try compare(Choices.self, damaged(choices, &random))
            try compare(Scalars.self, damaged(Samples.scalars.serializedBytes(), &random))
            try compare(Lists.self, damaged(Samples.lists.serializedBytes(), &random))
            try compare(Optionals.self, damaged(Samples.optionals.serializedBytes(), &random))
            try compare(Outer.self, damaged(Samples.outer.serializedBytes(), &random))
            try compare(Sparse.self, damaged(Samples.sparse.serializedBytes(), &random))
        }
    }

    private func compare<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws {
        let theirs = try ProtocOracle.decode(M.schema.name, bytes)
        let message: M
        do {
            message = try M(serialized: bytes)
        } catch {
            // protoc drops the bits of a tag above the 32nd; such a tag has a number above the largest.
            #expect(theirs == nil || error.message.contains("a field tag is malformed"), "refused: \(bytes)")
            return
        }
        let written = try message.serializedBytes()
        #expect(try ProtocOracle.decode(M.schema.name, written) == theirs, "\(bytes) was written as \(written)")
    }

    /// One to three times: a byte changed, put in, taken out, or a stretch doubled.
    private func damaged(_ bytes: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.index(3) where !bytes.isEmpty {
            let place = random.index(bytes.count)
            switch random.index(5) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[place] ^= 1 << UInt8(random.index(8))
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 3: bytes.remove(at: place)
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + random.index(40))], at: place)
            }
        }
        return bytes
    }
}

extension RandomNumberGenerator {
    fileprivate mutating func index(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}
