// SPDX-License-Identifier: Apache-2.0

/// Where measured values go: ``MetricRegistry`` keeps them, a bridge gives them to another library.
public protocol MetricBackend: Sendable {
    /// The counter of these labels; asked again, it counts on.
    func counter(_ metric: Metric, _ labels: [Metric.Label]) -> any CounterInstrument
    /// The gauge of these labels.
    func gauge(_ metric: Metric, _ labels: [Metric.Label]) -> any GaugeInstrument
    /// The histogram of these labels.
    func histogram(_ metric: Metric, _ labels: [Metric.Label]) -> any HistogramInstrument
}

/// Adds up. Called on the threads of calls: quick, and without a wait.
public protocol CounterInstrument: AnyObject, Sendable {
    /// Adds a number, which is not negative.
    func add(_ count: Int)
}

/// Goes up and down.
public protocol GaugeInstrument: AnyObject, Sendable {
    /// Adds a number, which may be negative.
    func add(_ difference: Int)
    /// Sets it.
    func set(_ value: Int)
}

/// Counts values by size. Called on the threads of calls: quick, and without a wait.
public protocol HistogramInstrument: AnyObject, Sendable {
    /// Notes a value: nanoseconds, bytes or pieces, as the metric's unit says.
    func record(_ value: Int)
}
