// SPDX-License-Identifier: Apache-2.0

import LoadFigures

/// A figure of latencies that reports name.
enum LatencyFigure: Sendable, Hashable {
    case minimum, mean, maximum
    /// What a share of the calls, 0 to 1, does not exceed.
    case percentile(Double)

    /// What people want to see, from left to right.
    static let shown: [LatencyFigure] =
        [.minimum, .mean] + [0.5, 0.9, 0.99, 0.999].map { .percentile($0) } + [.maximum]

    /// `min`, `p99`, `p99.9` …
    var name: String {
        switch self {
        case .minimum: "min"
        case .mean: "mean"
        case .maximum: "max"
        case .percentile(let share): "p\(((share * 1e6).rounded() / 1e4).formatted)"
        }
    }

    /// The figure; nil when nothing was recorded.
    func value(_ histogram: LatencyHistogram) -> Duration? {
        switch self {
        case .minimum: histogram.minimum
        case .mean: histogram.mean
        case .maximum: histogram.maximum
        case .percentile(let share): histogram.percentile(share)
        }
    }
}
