// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ShopDrill

/// A small generator with a seed. Source: Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite struct PickTallyTests {
    @Test func `the statistic is that of the counts`() {
        var tally = PickTally()
        for _ in 0..<60 { tally.record("a", among: ["a", "b"]) }
        for _ in 0..<40 { tally.record("b", among: ["b", "a"]) }
        #expect(tally.uniformity == ChiSquare(statistic: 4, degreesOfFreedom: 1))
        #expect(tally.tested == 100)
    }

    @Test func `groups with different instances add up`() {
        var tally = PickTally()
        for _ in 0..<60 { tally.record("a", among: ["a", "b"]) }
        for _ in 0..<40 { tally.record("b", among: ["a", "b"]) }
        for _ in 0..<30 { tally.record("a", among: ["a", "b", "c"]) }
        for _ in 0..<60 { tally.record("c", among: ["a", "b", "c"]) }
        #expect(tally.uniformity == ChiSquare(statistic: 4 + 60, degreesOfFreedom: 3))
    }

    @Test func `an instance that is never picked counts against uniformity`() {
        var tally = PickTally()
        for index in 0..<100 { tally.record(index.isMultiple(of: 2) ? "a" : "b", among: ["a", "b", "c"]) }
        #expect(tally.uniformity.probability < 1e-6)
    }

    @Test func `what leaves no choice or is too little is not tested`() {
        var tally = PickTally()
        for _ in 0..<100 { tally.record("a", among: ["a"]) }
        for _ in 0..<9 { tally.record("a", among: ["a", "b"]) }
        #expect(tally.tested == 0)
        #expect(tally.total == 109)
        #expect(tally.uniformity == ChiSquare(statistic: 0, degreesOfFreedom: 0))
    }

    @Test func `a pick of an unknown instance is counted as a fault`() {
        var tally = PickTally()
        tally.record("z", among: ["a", "b"])
        #expect(tally.foreign == 1)
        #expect(tally.total == 1)
    }

    @Test(arguments: 1...20)
    func `a uniform choice among changing instances passes`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var tally = PickTally()
        for known in [["a", "b", "c"], ["a", "b"], ["a", "b", "d"]] {
            for _ in 0..<1000 { tally.record(known[Int.random(in: 0..<known.count, using: &generator)], among: known) }
        }
        #expect(tally.uniformity.degreesOfFreedom == 5)
        #expect(tally.uniformity.probability > 1e-6)
    }

    @Test(arguments: 1...20)
    func `a choice that prefers one instance by a fifth does not`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var tally = PickTally()
        for _ in 0..<12_000 {
            let place = Int.random(in: 0..<32, using: &generator)
            tally.record(place < 12 ? "a" : place < 22 ? "b" : "c", among: ["a", "b", "c"])
        }
        #expect(tally.uniformity.probability < 1e-6)
    }
}
