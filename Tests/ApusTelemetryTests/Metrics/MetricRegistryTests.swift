// SPDX-License-Identifier: Apache-2.0

import ApusTelemetry
import Testing

@Suite struct MetricRegistryTests {
    private let counted = Metric("test.calls", .counter, .count("call"), "Calls.")

    private func label(_ value: String) -> [Metric.Label] { [Metric.Label("name", value)] }

    private func numbers(_ registry: MetricRegistry, _ name: String) -> [String: MetricFamily.Value] {
        let family = registry.families.first { $0.metric.name == name }
        let pairs = (family?.series ?? []).map { ($0.labels.map(\.value).joined(separator: ","), $0.value) }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test func `the same labels are the same series`() {
        let registry = MetricRegistry()
        registry.counter(counted, label("a")).add(1)
        registry.counter(counted, label("a")).add(2)
        registry.counter(counted, label("b")).add(5)
        #expect(numbers(registry, "test.calls") == ["a": .number(3), "b": .number(5)])
    }

    @Test func `series above the limit are counted together`() {
        let registry = MetricRegistry(maximumSeries: 2)
        for name in ["a", "b", "c", "d", "c", "a"] { registry.counter(counted, label(name)).add(1) }
        #expect(numbers(registry, "test.calls") == ["a": .number(2), "b": .number(1), "other": .number(3)])
    }

    @Test func `a name that is taken by another kind of metric counts for nobody`() {
        let registry = MetricRegistry()
        registry.counter(counted, label("a")).add(1)
        registry.gauge(Metric("test.calls", .gauge, .count("call"), "Calls."), label("a")).set(9)
        registry.histogram(Metric("test.calls", .latency, .seconds, "Calls."), label("b")).record(9)
        #expect(numbers(registry, "test.calls") == ["a": .number(1)])
    }

    @Test func `metrics and their series come in the order of their names`() {
        let registry = MetricRegistry()
        for name in ["z", "a", "m"] {
            registry.gauge(Metric(name, .gauge, .bytes, ""), []).set(1)
            registry.counter(counted, label(name)).add(1)
        }
        #expect(registry.families.map(\.metric.name) == ["a", "m", "test.calls", "z"])
        #expect(registry.families[2].series.map { $0.labels[0].value } == ["a", "m", "z"])
    }

    @Test func `a histogram shows its buckets and its sum`() {
        let registry = MetricRegistry(stripes: 1000)
        let histogram = registry.histogram(Metric("test.size", .histogram([10, 20]), .bytes, ""), [])
        for value in [5, 10, 15, 30] { histogram.record(value) }
        #expect(registry.families[0].series[0].value == .histogram(buckets: [2, 1, 1], sum: 60))
    }
}
