// SPDX-License-Identifier: Apache-2.0

@testable import ApusAdmin
import ApusTelemetry
import Testing

@Suite struct CallTallyTests {
    private func tally(_ counts: [Int: Int]) -> CallTally {
        var tally = CallTally()
        for (index, count) in counts { tally.buckets[index] = count }
        return tally
    }

    @Test func `a tally without calls has no times`() {
        #expect(CallTally().calls == 0)
        #expect(CallTally().quantile(0.5) == nil)
    }

    @Test func `a share's time lies in its bucket, as far in as the share`() throws {
        let index = try #require(CallTally.bounds.firstIndex(of: 2_000_000))
        let low = Double(CallTally.bounds[index - 1])
        #expect(tally([index: 10]).quantile(0.5) == low + (2_000_000 - low) / 2)
        #expect(tally([index: 10, index + 1: 10]).quantile(0.5) == 2_000_000)
        #expect(tally([index: 99, index + 5: 1]).quantile(0.99) == 2_000_000)
    }

    @Test func `what took longer than all bounds is told as the last one`() throws {
        #expect(tally([CallTally.bounds.count: 3]).quantile(0.99) == Double(try #require(CallTally.bounds.last)))
    }

    @Test func `series are added up by labels, and errors are what is not OK`() {
        let registry = MetricRegistry()
        for (target, status) in [("a", "OK"), ("a", "OK"), ("a", "INTERNAL"), ("b", "OK")] {
            let labels = [Metric.Label("grpc.target", target), Metric.Label("grpc.status", status)]
            let metric = Metric("grpc.client.call.duration", .latency, .seconds, "")
            registry.histogram(metric, labels).record(1_500_000)
        }
        let tallies = MeasuredSeries(registry.families).tallies(of: "grpc.client.call.duration", by: ["grpc.target"])
        #expect(tallies[["a"]]?.calls == 3)
        #expect(tallies[["a"]]?.errors == 1)
        #expect(tallies[["a"]]?.statuses == ["OK": 2, "INTERNAL": 1])
        #expect(tallies[["b"]]?.errors == 0)
        #expect(tallies.count == 2)
    }
}
