// SPDX-License-Identifier: Apache-2.0

import ApusOTLP
import ApusTelemetry
import Testing

@Suite struct MetricRequestsTests {
    private let registry = MetricRegistry()

    private func requests(limit: Int = 1000) -> [ExportMetricsServiceRequest] {
        MetricRequests(resource: ["service.name": "users", "a": "b"], start: 5, limit: limit)
            .requests(registry.families, now: 9)
    }

    private func metrics(_ request: ExportMetricsServiceRequest?) -> [ApusOTLP.Metric] {
        request?.resourceMetrics.first?.scopeMetrics.first?.metrics ?? []
    }

    @Test func `a counter is a sum that only grows, from the start on`() throws {
        let calls = ApusTelemetry.Metric("calls", .counter, .count("call"), "Calls.")
        registry.counter(calls, [.init("method", "Get")]).add(3)
        let request = try #require(requests().first)
        let resource = try #require(request.resourceMetrics.first?.resource)
        #expect(resource.attributes.map(\.key) == ["a", "service.name"])
        #expect(resource.attributes.map(\.value?.value) == [.stringValue("b"), .stringValue("users")])
        let metric = try #require(metrics(request).first)
        #expect((metric.name, metric.description, metric.unit) == ("calls", "Calls.", "{call}"))
        guard case .sum(let sum)? = metric.data else { throw Unexpected() }
        #expect(sum.isMonotonic && sum.aggregationTemporality == .cumulative)
        let point = try #require(sum.dataPoints.first)
        #expect(point.value == .asInt(3))
        #expect((point.startTimeUnixNano, point.timeUnixNano) == (5, 9))
        #expect(point.attributes.map(\.key) == ["method"])
    }

    @Test func `a gauge may be below zero`() throws {
        registry.gauge(ApusTelemetry.Metric("open", .gauge, .bytes, "Open."), []).add(-2)
        let metric = try #require(metrics(requests().first).first)
        #expect(metric.unit == "By")
        guard case .gauge(let gauge)? = metric.data else { throw Unexpected() }
        #expect(gauge.dataPoints.map(\.value) == [.asInt(-2)])
    }

    @Test func `times are in seconds, and a histogram has one bucket more than bounds`() throws {
        let time = ApusTelemetry.Metric("time", .histogram([1_000_000, 1_500_000_000]), .seconds, "Time.")
        let histogram = registry.histogram(time, [])
        for nanoseconds in [1_000_000, 1_000_001, 2_000_000_000] { histogram.record(nanoseconds) }
        let metric = try #require(metrics(requests().first).first)
        #expect(metric.unit == "s")
        guard case .histogram(let data)? = metric.data, let point = data.dataPoints.first else { throw Unexpected() }
        #expect(data.aggregationTemporality == .cumulative)
        #expect(point.explicitBounds == [0.001, 1.5])
        #expect(point.bucketCounts == [1, 1, 1])
        #expect(point.count == 3)
        #expect(point.sum == 2.002000001)
    }

    @Test(arguments: [(1, 10), (3, 4), (4, 3), (9, 2), (10, 1), (1000, 1), (0, 10)])
    func `series are spread over requests, and none is lost`(_ limit: Int, _ count: Int) {
        for name in ["a", "b"] {
            let metric = ApusTelemetry.Metric(name, .counter, .count("x"), "X.")
            for number in 0..<5 { registry.counter(metric, [.init("n", "\(number)")]).add(1) }
        }
        let all = requests(limit: limit)
        #expect(all.count == count)
        var seen: [String] = []
        for request in all {
            var series = 0
            for metric in metrics(request) {
                guard case .sum(let sum)? = metric.data else { continue }
                series += sum.dataPoints.count
                for point in sum.dataPoints { seen.append("\(metric.name) \(point.attributes)") }
            }
            #expect(series > 0 && series <= max(1, limit))
        }
        #expect(seen.count == 10 && Set(seen).count == 10)
    }

    @Test func `a registry without values asks nobody`() {
        #expect(requests().isEmpty)
    }

    private struct Unexpected: Error {}
}
