// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Keeps metrics in the process: counts on any thread without a lock, and shows all of it when asked.
///
/// ```swift
/// let registry = MetricRegistry()
/// let server = try Server([Users()], observer: CallMetrics(registry))
/// let page = PrometheusText.render(registry.families)
/// ```
public final class MetricRegistry: MetricBackend {
    private enum Instrument: Sendable {
        case counter(StripedCounter)
        case gauge(AtomicGauge)
        case histogram(StripedHistogram)
    }

    private struct Family {
        let metric: Metric
        var series: [[Metric.Label]: Instrument] = [:]
    }

    private let families_ = Mutex<[String: Family]>([:])
    private let limit: Int
    private let stripes: Int

    /// A registry without metrics.
    ///
    /// - Parameters:
    ///   - maximumSeries: how many sets of labels one metric keeps; what comes then is counted in one whose labels all
    ///     say `other`.
    ///   - stripes: how many copies of a number threads share among themselves; rounded up to a power of two, 64 at
    ///     most. More cost memory and save threads from waiting for each other's cache lines.
    public init(maximumSeries: Int = 2000, stripes: Int = 4) {
        limit = max(1, maximumSeries)
        var rounded = 1
        while rounded < min(stripes, 64) { rounded *= 2 }
        self.stripes = rounded
    }

    /// The counter of these labels.
    public func counter(_ metric: Metric, _ labels: [Metric.Label]) -> any CounterInstrument {
        guard case .counter(let counter) = instrument(metric, labels, .counter(StripedCounter(stripes: stripes))) else {
            return StripedCounter(stripes: 1)
        }
        return counter
    }

    /// The gauge of these labels.
    public func gauge(_ metric: Metric, _ labels: [Metric.Label]) -> any GaugeInstrument {
        guard case .gauge(let gauge) = instrument(metric, labels, .gauge(AtomicGauge())) else { return AtomicGauge() }
        return gauge
    }

    /// The histogram of these labels.
    public func histogram(_ metric: Metric, _ labels: [Metric.Label]) -> any HistogramInstrument {
        let bounds: [Int] = if case .histogram(let bounds) = metric.kind { bounds } else { [] }
        let new = Instrument.histogram(StripedHistogram(bounds: bounds, stripes: stripes))
        guard case .histogram(let histogram) = instrument(metric, labels, new) else {
            return StripedHistogram(bounds: [], stripes: 1)
        }
        return histogram
    }

    // A name has one kind: who asks for another one under it counts for nobody.
    private func instrument(_ metric: Metric, _ labels: [Metric.Label], _ new: Instrument) -> Instrument {
        families_.withLock { families in
            var family = families.removeValue(forKey: metric.name) ?? Family(metric: metric)
            defer { families[metric.name] = family }
            guard family.metric.kind == metric.kind else { return new }
            if let known = family.series[labels] { return known }
            let isFull = family.series.count >= limit
            let labels = isFull ? labels.map { Metric.Label($0.name, "other") } : labels
            if let known = family.series[labels] { return known }
            family.series[labels] = new
            return new
        }
    }

    /// All metrics as they are now, by name, each with its series by labels.
    public var families: [MetricFamily] {
        let all = families_.withLock { Array($0.values) }
        return all.sorted { $0.metric.name < $1.metric.name }.map { family in
            let series = family.series.map { MetricFamily.Series(labels: $0.key, value: Self.value($0.value)) }
            return MetricFamily(metric: family.metric, series: series.sorted { $0.isBefore($1) })
        }
    }

    private static func value(_ instrument: Instrument) -> MetricFamily.Value {
        switch instrument {
        case .counter(let counter): return .number(counter.value)
        case .gauge(let gauge): return .number(gauge.value)
        case .histogram(let histogram):
            let (buckets, sum) = histogram.value
            return .histogram(buckets: buckets, sum: sum)
        }
    }
}

/// One metric with all of its series, at one moment.
public struct MetricFamily: Sendable, Hashable {
    /// A value.
    public enum Value: Sendable, Hashable {
        /// Of a counter or a gauge.
        case number(Int)
        /// Counts for each bucket (not added up; the last is for what is above all bounds), and the sum of all values
        /// in nanoseconds, bytes or pieces.
        case histogram(buckets: [Int], sum: Int)
    }

    /// A value with its labels.
    public struct Series: Sendable, Hashable {
        /// The labels.
        public let labels: [Metric.Label]
        /// The value.
        public let value: Value

        /// A series.
        public init(labels: [Metric.Label], value: Value) {
            self.labels = labels
            self.value = value
        }

        fileprivate func isBefore(_ other: Series) -> Bool {
            labels.lexicographicallyPrecedes(other.labels) { ($0.name, $0.value) < ($1.name, $1.value) }
        }
    }

    /// What is measured.
    public let metric: Metric
    /// The values.
    public let series: [Series]

    /// A metric with its series.
    public init(metric: Metric, series: [Series]) {
        self.metric = metric
        self.series = series
    }
}
