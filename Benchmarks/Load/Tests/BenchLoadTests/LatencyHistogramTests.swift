// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BenchLoad

/// The same numbers in every run (Knuth's MMIX).
private struct Chance: RandomNumberGenerator {
    private var state: UInt64 = 7

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }
}

@Suite struct LatencyHistogramTests {
    private func exact(_ values: [UInt64], _ share: Double) -> Double {
        let sorted = values.sorted()
        return Double(sorted[min(Int(share * Double(values.count)), values.count - 1)]) / 1000
    }

    @Test(arguments: [0.0, 0.5, 0.9, 0.99, 0.999, 1.0])
    func `a percentile is that of the sorted values, give or take 1.6 percent`(share: Double) throws {
        var generator = Chance()
        let values = (0..<20_000).map { _ in UInt64.random(in: 0...(1 << UInt64.random(in: 1...40)), using: &generator)
        }
        var histogram = LatencyHistogram()
        for value in values { histogram.record(value) }
        let found = try #require(histogram.microseconds(at: share))
        let expected = exact(values, share)
        #expect(abs(found - expected) <= expected * 0.016 + 0.001)
    }

    @Test func `every value has a place, the largest too`() throws {
        var histogram = LatencyHistogram()
        for value in [0, 1, 63, 64, 65, 127, 128, UInt64.max] { histogram.record(value) }
        #expect(histogram.total == 8)
        #expect(try #require(histogram.microseconds(at: 1)) > Double(UInt64.max) / 1000 * 0.98)
    }

    @Test func `two histograms add up`() {
        var one = LatencyHistogram()
        var other = LatencyHistogram()
        one.record(1000)
        other.record(1_000_000)
        one.add(other)
        #expect(one.total == 2)
        #expect((990...1010).contains(one.microseconds(at: 0.9) ?? 0))
    }

    @Test func `nothing has no percentile`() {
        #expect(LatencyHistogram().microseconds(at: 0.5) == nil)
    }
}
