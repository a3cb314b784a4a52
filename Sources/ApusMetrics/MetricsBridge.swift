// SPDX-License-Identifier: Apache-2.0

#if Metrics
    public import ApusTelemetry
    public import CoreMetrics

    /// Gives what `CallMetrics` measures to swift-metrics, and so to the backend that the process has chosen. There with
    /// the package's trait `Metrics` alone.
    ///
    /// Names and labels are gRFC A66's, with their dots. Times become timers, sizes and numbers of tries recorders,
    /// gauges meters.
    ///
    /// ```swift
    /// let channel = Channel("users", registry: directory, observer: CallMetrics(MetricsBridge()))
    /// ```
    public struct MetricsBridge: MetricBackend {
        private let factory: any MetricsFactory

        /// A bridge to a factory; unless told, to the one that the process was bootstrapped with.
        public init(_ factory: any MetricsFactory = MetricsSystem.factory) { self.factory = factory }

        /// A counter of the factory.
        public func counter(_ metric: Metric, _ labels: [Metric.Label]) -> any CounterInstrument {
            BridgedCounter(Counter(label: metric.name, dimensions: dimensions(labels), factory: factory))
        }

        /// A meter of the factory.
        public func gauge(_ metric: Metric, _ labels: [Metric.Label]) -> any GaugeInstrument {
            BridgedGauge(Meter(label: metric.name, dimensions: dimensions(labels), factory: factory))
        }

        /// A timer of the factory for times, else a recorder.
        public func histogram(_ metric: Metric, _ labels: [Metric.Label]) -> any HistogramInstrument {
            let dimensions = dimensions(labels)
            if metric.unit == .seconds {
                return BridgedTimer(Timer(label: metric.name, dimensions: dimensions, factory: factory))
            }
            return BridgedRecorder(
                Recorder(label: metric.name, dimensions: dimensions, aggregate: true, factory: factory))
        }

        private func dimensions(_ labels: [Metric.Label]) -> [(String, String)] { labels.map { ($0.name, $0.value) } }
    }

    private final class BridgedCounter: CounterInstrument {
        private let counter: Counter
        init(_ counter: Counter) { self.counter = counter }
        func add(_ count: Int) { counter.increment(by: max(0, count)) }
    }

    private final class BridgedGauge: GaugeInstrument {
        private let meter: Meter
        init(_ meter: Meter) { self.meter = meter }
        func set(_ value: Int) { meter.set(value) }
        func add(_ difference: Int) {
            let amount = Double(difference)
            if amount < 0 { meter.decrement(by: -amount) } else { meter.increment(by: amount) }
        }
    }

    private final class BridgedTimer: HistogramInstrument {
        private let timer: Timer
        init(_ timer: Timer) { self.timer = timer }
        func record(_ value: Int) { timer.recordNanoseconds(value) }
    }

    private final class BridgedRecorder: HistogramInstrument {
        private let recorder: Recorder
        init(_ recorder: Recorder) { self.recorder = recorder }
        func record(_ value: Int) { recorder.record(value) }
    }
#endif
