// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
package import ApusTelemetry

/// Makes requests of what a registry has: sums and histograms from the start on, bounds in the metric's unit.
package struct MetricRequests: Sendable {
    private let resource: Resource
    private let start: UInt64
    private let limit: Int

    /// - Parameters:
    ///   - resource: what the process is.
    ///   - start: when counting began, in nanoseconds since 1970.
    ///   - limit: how many series one request carries at most.
    package init(resource: [String: String], start: UInt64, limit: Int) {
        let attributes = resource.sorted { $0.key < $1.key }
        self.resource = Resource(attributes: attributes.map { Self.attribute($0.key, $0.value) })
        self.start = start
        self.limit = max(1, limit)
    }

    /// The requests that carry all series, as they are at `now`.
    package func requests(_ families: [MetricFamily], now: UInt64) -> [ExportMetricsServiceRequest] {
        var requests: [ExportMetricsServiceRequest] = []
        var (metrics, room): ([Metric], Int) = ([], limit)
        for family in families {
            var rest = family.series[...]
            while !rest.isEmpty {
                metrics.append(metric(family.metric, rest.prefix(room), now))
                (room, rest) = (room - min(room, rest.count), rest.dropFirst(room))
                guard room == 0 else { continue }
                requests.append(request(metrics))
                (metrics, room) = ([], limit)
            }
        }
        if !metrics.isEmpty { requests.append(request(metrics)) }
        return requests
    }

    private func request(_ metrics: [Metric]) -> ExportMetricsServiceRequest {
        let scope = ScopeMetrics(scope: InstrumentationScope(name: "apus"), metrics: metrics)
        return ExportMetricsServiceRequest(
            resourceMetrics: [ResourceMetrics(resource: resource, scopeMetrics: [scope])])
    }

    private func metric(
        _ metric: ApusTelemetry.Metric, _ series: ArraySlice<MetricFamily.Series>, _ now: UInt64
    ) -> Metric {
        let data: Metric.DataOneOf =
            switch metric.kind {
            case .counter:
                .sum(
                    Sum(
                        dataPoints: series.compactMap { number($0, metric.unit, now) },
                        aggregationTemporality: .cumulative, isMonotonic: true))
            case .gauge: .gauge(Gauge(dataPoints: series.compactMap { number($0, metric.unit, now) }))
            case .histogram(let bounds):
                .histogram(
                    Histogram(
                        dataPoints: series.compactMap { histogram($0, bounds, metric.unit, now) },
                        aggregationTemporality: .cumulative))
            }
        return Metric(name: metric.name, description: metric.help, unit: Self.text(metric.unit), data: data)
    }

    private func number(
        _ series: MetricFamily.Series, _ unit: ApusTelemetry.Metric.Unit, _ now: UInt64
    ) -> NumberDataPoint? {
        guard case .number(let number) = series.value else { return nil }
        return NumberDataPoint(
            attributes: Self.attributes(series), startTimeUnixNano: start, timeUnixNano: now,
            value: unit == .seconds ? .asDouble(Self.value(number, unit)) : .asInt(Int64(number)))
    }

    private func histogram(
        _ series: MetricFamily.Series, _ bounds: [Int], _ unit: ApusTelemetry.Metric.Unit, _ now: UInt64
    ) -> HistogramDataPoint? {
        guard case .histogram(let buckets, let sum) = series.value else { return nil }
        let counts = buckets.map { UInt64(clamping: $0) }
        return HistogramDataPoint(
            attributes: Self.attributes(series), startTimeUnixNano: start, timeUnixNano: now,
            count: counts.reduce(0, &+), sum: Self.value(sum, unit), bucketCounts: counts,
            explicitBounds: bounds.map { Self.value($0, unit) })
    }

    private static func value(_ number: Int, _ unit: ApusTelemetry.Metric.Unit) -> Double {
        unit == .seconds ? Double(number) / 1_000_000_000 : Double(number)
    }

    // In UCUM's words.
    private static func text(_ unit: ApusTelemetry.Metric.Unit) -> String {
        switch unit {
        case .seconds: "s"
        case .bytes: "By"
        case .count(let what): "{\(what)}"
        }
    }

    private static func attributes(_ series: MetricFamily.Series) -> [KeyValue] {
        series.labels.map { attribute($0.name, $0.value) }
    }

    private static func attribute(_ key: String, _ value: String) -> KeyValue {
        KeyValue(key: key, value: AnyValue(value: .stringValue(value)))
    }
}
