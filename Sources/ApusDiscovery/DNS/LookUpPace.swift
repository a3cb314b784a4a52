// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// When a name is asked for again: after the interval, and sooner while a question has no answer, by gRPC's back-off of
/// connections. Pure. Source: gRPC, *Connection Backoff Protocol*.
struct LookUpPace: Sendable {
    private static let backoff = (first: 1.0, factor: 1.6, longest: 120.0, jitter: 0.2)

    let interval: Duration
    private var failures = 0

    init(interval: Duration) { self.interval = interval }

    /// The time until the next question.
    ///
    /// - Parameters:
    ///   - isAnswered: whether all that was asked has an answer; also that there is nothing is one.
    ///   - random: spreads the questions of many clients; 0 to 1.
    mutating func wait(isAnswered: Bool, random: Double) -> Duration {
        guard !isAnswered else {
            failures = 0
            return interval
        }
        var seconds = Self.backoff.first
        for _ in 0..<min(failures, 20) { seconds = min(seconds * Self.backoff.factor, Self.backoff.longest) }
        failures = min(failures + 1, 20)
        return min(interval, .seconds(seconds * (1 + (2 * random - 1) * Self.backoff.jitter)))
    }
}
