// SPDX-License-Identifier: Apache-2.0

import Figures
import Testing

@Suite struct LatencyHistogramTests {
    @Test func `an empty histogram has no percentiles`() {
        #expect(LatencyHistogram().percentile(0.5) == nil)
    }

    @Test func `small values are exact`() {
        var histogram = LatencyHistogram()
        for value in 1...100 { histogram.record(.microseconds(value)) }
        #expect(histogram.count == 100)
        #expect(histogram.percentile(0) == .microseconds(1))
        #expect(histogram.percentile(0.5) == .microseconds(50))
        #expect(histogram.percentile(0.51) == .microseconds(51))
    }

    @Test func `each value is found within 1.6 percent and not below itself`() throws {
        for exponent in 0..<31 {
            for offset in [-1, 0, 1, 17] {
                let value = max(0, (1 << exponent) + offset)
                var histogram = LatencyHistogram()
                histogram.record(.microseconds(value))
                let found = try #require(histogram.percentile(1))
                #expect(found >= .microseconds(value))
                #expect(found <= .microseconds(value + value / 64))
            }
        }
    }

    @Test func `a percentile counts from the smallest`() throws {
        var histogram = LatencyHistogram()
        for _ in 0..<99 { histogram.record(.milliseconds(1)) }
        histogram.record(.seconds(2))
        #expect(try #require(histogram.percentile(0.99)) < .milliseconds(1.1))
        #expect(try #require(histogram.percentile(0.995)) >= .seconds(2))
    }

    @Test func `merging is recording both`() {
        var both = LatencyHistogram()
        var first = LatencyHistogram()
        var second = LatencyHistogram()
        for value in 0..<500 {
            both.record(.microseconds(value * 37))
            if value.isMultiple(of: 3) {
                first.record(.microseconds(value * 37))
            } else {
                second.record(.microseconds(value * 37))
            }
        }
        first.merge(second)
        #expect(first == both)
    }

    @Test func `negative and endless durations are held at the ends`() throws {
        var histogram = LatencyHistogram()
        histogram.record(.seconds(-5))
        histogram.record(.nanoseconds(-5))
        histogram.record(.seconds(Int64.max))
        #expect(histogram.percentile(0.5) == .zero)
        #expect(try #require(histogram.percentile(1)) >= .seconds(3600))
        #expect(try #require(histogram.percentile(1)) <= .seconds(3660))
    }
}
