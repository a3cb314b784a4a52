// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// When the next export is due, and what became of those before. Pure.
///
/// Metrics are cumulative: an export that failed is made good by the next one, so nothing is kept for it.
/// Source: OTLP specification, *Failures* of OTLP/gRPC.
struct ExportCourse: Sendable {
    private static let backoff = (first: 1.0, factor: 1.6, jitter: 0.2)

    private let interval: Duration
    private var failuresInRow = 0
    /// Exports that a receiver has taken.
    private(set) var exported = 0
    /// Exports that it has not.
    private(set) var failed = 0

    /// - Parameter interval: below a millisecond it counts as one.
    init(interval: Duration) { self.interval = max(.milliseconds(1), interval) }

    /// An export has ended.
    ///
    /// - Parameter random: a uniformly random number in `0..<1`.
    /// - Returns: the time until the next one.
    mutating func ended(_ error: RPCError?, random: Double) -> Duration {
        guard let error else {
            exported += 1
            failuresInRow = 0
            return interval
        }
        failed += 1
        let refusal = ExportRefusal(error)
        guard refusal.mayPass else {
            failuresInRow = 0
            return interval
        }
        failuresInRow += 1
        return max(min(interval, delay(random)), refusal.wait ?? .zero)
    }

    private func delay(_ random: Double) -> Duration {
        var seconds = Self.backoff.first
        for _ in 1..<min(max(1, failuresInRow), 20) { seconds *= Self.backoff.factor }
        return .seconds(seconds * (1 + Self.backoff.jitter * (2 * random - 1)))
    }
}
