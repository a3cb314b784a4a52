// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusTelemetry

@Suite struct InstrumentsTests {
    @Test(arguments: [(-5, 0), (0, 0), (1, 1), (10, 1), (11, 2), (100, 2), (101, 3), (Int.max, 3)])
    func `a value belongs to the first bucket whose bound is not below it`(_ value: Int, _ bucket: Int) {
        let histogram = StripedHistogram(bounds: [0, 10, 100], stripes: 2)
        histogram.record(value)
        var expected = [0, 0, 0, 0]
        expected[bucket] = 1
        #expect(histogram.value.buckets == expected)
        #expect(histogram.value.sum == max(0, value))
    }

    @Test func `a sum that does not fit its number wraps and stops nothing`() {
        let histogram = StripedHistogram(bounds: [1], stripes: 1)
        for _ in 0..<3 { histogram.record(.max) }
        #expect(histogram.value.buckets == [0, 3])
    }

    @Test func `a counter never goes down`() {
        let counter = StripedCounter(stripes: 4)
        counter.add(3)
        counter.add(-2)
        #expect(counter.value == 3)
    }

    @Test func `a gauge goes up and down and can be set`() {
        let gauge = AtomicGauge()
        gauge.add(3)
        gauge.add(-5)
        #expect(gauge.value == -2)
        gauge.set(7)
        #expect(gauge.value == 7)
    }

    @Test(arguments: [Metric.Kind.latency, .size, .tries, .transparentTries])
    func `bounds ascend`(_ kind: Metric.Kind) {
        guard case .histogram(let bounds) = kind else {
            Issue.record("\(kind) is no histogram")
            return
        }
        #expect(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
    }
}
