// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

struct RandomSourceTests {
    /// Gives the same number for ever.
    private final class Constant: RandomSource {
        private let value: UInt64
        init(_ value: UInt64) { self.value = value }
        func next() -> UInt64 { value }
    }

    @Test func `the same seed gives the same sequence, as SplitMix64 defines it`() {
        let random = SplitMixRandom(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect((0..<5).map { _ in random.next() } == expected)
    }

    @Test(arguments: [2, 3, 5, 6, 7, 10])
    func `every index is equally likely`(bound: Int) {
        let random = SplitMixRandom(seed: UInt64(bound))
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<100_000 { counts[random.index(below: bound)] += 1 }
        let expected = 100_000.0 / Double(bound)
        let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        // The 1e-6 quantile for nine degrees of freedom; smaller bounds have smaller ones.
        #expect(chiSquare < 44.81)
    }

    @Test(arguments: [Int.min, -1, 0, 1])
    func `a bound of one or less gives zero`(bound: Int) {
        #expect(SplitMixRandom(seed: 1).index(below: bound) == 0)
    }

    @Test func `indices stay below the largest bound`() {
        for _ in 0..<1000 { #expect((0..<Int.max).contains(SplitMixRandom.shared.index(below: .max))) }
        #expect(Constant(.max).index(below: 10) == 9)
    }

    @Test func `unit numbers stay within zero and one, one excluded`() {
        #expect(Constant(.max).unit() < 1)
        #expect(Constant(0).unit() == 0)
    }
}
