// SPDX-License-Identifier: Apache-2.0

import ApusTelemetry

extension MetricRegistry {
    /// The series of a metric: label values, joined by a bar, with numbers or counts of values.
    func counts(_ name: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for series in series(name) {
            let key = series.labels.map(\.value).joined(separator: "|")
            switch series.value {
            case .number(let number): counts[key] = number
            case .histogram(let buckets, _): counts[key] = buckets.reduce(0, +)
            }
        }
        return counts
    }

    /// The sums of a histogram's series, in its own unit.
    func sums(_ name: String) -> [String: Int] {
        var sums: [String: Int] = [:]
        for series in series(name) {
            guard case .histogram(_, let sum) = series.value else { continue }
            sums[series.labels.map(\.value).joined(separator: "|")] = sum
        }
        return sums
    }

    private func series(_ name: String) -> [MetricFamily.Series] {
        families.first { $0.metric.name == name }?.series ?? []
    }
}
