// SPDX-License-Identifier: Apache-2.0

import ApusTelemetry

/// Calls by their ends and times, added up from the series of one metric.
package struct CallTally: Sendable, Equatable {
    /// Calls by the names of their statuses.
    package var statuses: [String: Int] = [:]
    /// Calls by time, in the buckets of ``bounds``; the last is for what took longer.
    package var buckets: [Int]

    /// The upper bounds of the buckets, in nanoseconds.
    package static let bounds: [Int] = {
        if case .histogram(let bounds) = Metric.Kind.latency { bounds } else { [] }
    }()

    package init() { buckets = Array(repeating: 0, count: Self.bounds.count + 1) }

    /// All calls.
    package var calls: Int { buckets.reduce(0, &+) }

    /// Calls that did not end with OK.
    package var errors: Int { statuses.reduce(0) { $1.key == "OK" ? $0 : $0 &+ $1.value } }

    mutating func add(_ status: String, _ more: [Int]) {
        statuses[status, default: 0] &+= more.reduce(0, &+)
        for (index, count) in more.enumerated() where index < buckets.count { buckets[index] &+= count }
    }

    mutating func add(_ other: CallTally) {
        for (status, count) in other.statuses { statuses[status, default: 0] &+= count }
        for (index, count) in other.buckets.enumerated() { buckets[index] &+= count }
    }

    /// The time, in nanoseconds, that a share of the calls did not exceed, as well as buckets know; nil without calls.
    package func quantile(_ share: Double) -> Double? {
        let all = calls
        guard all > 0 else { return nil }
        var rest = share * Double(all)
        for (index, count) in buckets.enumerated() where count > 0 {
            guard rest > Double(count) else {
                let low = index == 0 ? 0 : Self.bounds[index - 1]
                let high = index < Self.bounds.count ? Self.bounds[index] : low
                return Double(low) + Double(high - low) * rest / Double(count)
            }
            rest -= Double(count)
        }
        return Self.bounds.last.map(Double.init)
    }
}

/// The metrics of a registry, found by name and label.
struct MeasuredSeries {
    private var families: [String: [MetricFamily.Series]] = [:]

    init(_ families: [MetricFamily]) {
        for family in families { self.families[family.metric.name] = family.series }
    }

    subscript(name: String) -> [MetricFamily.Series] { families[name] ?? [] }

    /// The tallies of a metric of times, by the values of a label.
    func tallies(of name: String, by keys: [String]) -> [[String]: CallTally] {
        var tallies: [[String]: CallTally] = [:]
        for series in self[name] {
            guard case .histogram(let buckets, _) = series.value else { continue }
            let key = keys.map { series[$0] ?? "" }
            tallies[key, default: CallTally()].add(series["grpc.status"] ?? "", buckets)
        }
        return tallies
    }

    /// The numbers of a metric, by the values of some labels.
    func numbers(of name: String, by keys: [String]) -> [[String]: Int] {
        var numbers: [[String]: Int] = [:]
        for series in self[name] { numbers[keys.map { series[$0] ?? "" }, default: 0] &+= series.number }
        return numbers
    }
}

extension MetricFamily.Series {
    subscript(label: String) -> String? { labels.first { $0.name == label }?.value }

    // Of a histogram what all of its values add up to.
    fileprivate var number: Int {
        switch value {
        case .number(let number): number
        case .histogram(_, let sum): sum
        }
    }
}
