// SPDX-License-Identifier: Apache-2.0

import LoadFigures
import Testing

struct LatencyHistogramTests {
    @Test func `without calls there are no figures`() {
        let empty = LatencyHistogram()
        #expect(empty.percentile(0.5) == nil)
        #expect(empty.minimum == nil)
        #expect(empty.maximum == nil)
        #expect(empty.mean == nil)
    }

    @Test(arguments: [1, 63, 64, 65, 1_000, 123_456, 999_999_999, 59_000_000_000])
    func `a value is found again within 1.6 percent`(nanoseconds: Int64) throws {
        var histogram = LatencyHistogram()
        histogram.record(.nanoseconds(nanoseconds))
        histogram.record(.nanoseconds(nanoseconds * 2))
        let found = try #require(histogram.percentile(0.5)) / .nanoseconds(1)
        #expect(found >= Double(nanoseconds))
        #expect(found <= Double(nanoseconds) * 1.016)
    }

    @Test func `percentiles of a thousand even steps are those steps`() throws {
        var histogram = LatencyHistogram()
        for step in 1...1000 { histogram.record(.microseconds(step)) }
        for (share, expected) in [(0.0, 1.0), (0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999), (1, 1000)] {
            let found = try #require(histogram.percentile(share)) / .microseconds(1)
            #expect(abs(found - expected) <= expected * 0.016, "p\(share) is \(found)")
        }
        #expect(histogram.minimum == .microseconds(1))
        #expect(histogram.maximum == .microseconds(1000))
        #expect(histogram.mean == .nanoseconds(500_500))
    }

    @Test func `values beyond the ends are held there`() {
        var histogram = LatencyHistogram()
        histogram.record(.seconds(-5))
        histogram.record(.seconds(1_000_000_000))
        #expect(histogram.minimum == .zero)
        #expect(histogram.maximum == .seconds(3600))
        #expect(histogram.count == 2)
    }

    @Test func `two halves put together are the whole`() {
        var (whole, even, odd) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for step in 0..<500 {
            whole.record(.microseconds(step * step))
            if step % 2 == 0 { even.record(.microseconds(step * step)) } else { odd.record(.microseconds(step * step)) }
        }
        even.merge(odd)
        #expect(even == whole)
    }

    @Test func `merging with an empty one changes nothing`() {
        var histogram = LatencyHistogram()
        histogram.record(.milliseconds(3))
        let before = histogram
        histogram.merge(LatencyHistogram())
        #expect(histogram == before)
    }

    @Test func `each value counts in one range, and those beyond the last in the last`() {
        var histogram = LatencyHistogram()
        for step in [1, 2, 3, 10, 20, 500] { histogram.record(.milliseconds(step)) }
        let edges: [Duration] = [.milliseconds(2) * 1.02, .milliseconds(15), .milliseconds(100)]
        #expect(histogram.counts(upTo: edges) == [2, 2, 2])
        #expect(histogram.counts(upTo: []) == [])
    }
}
