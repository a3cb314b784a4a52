// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// What an endpoint's latency is believed to be: a mean in which what is old counts less and less, and which a slower
/// answer lifts at once. Source: Finagle, *Peak EWMA*.
struct LatencyEstimate: Sendable {
    /// Nanoseconds at ``moment``, at least 1; 0 while nothing is known.
    var cost = 0.0
    /// The last answer's.
    var moment = MonotonicInstant(nanoseconds: 0)

    /// An answer took this long.
    ///
    /// - Parameter decay: after this time what was believed counts by 1/e.
    mutating func note(_ latency: Duration, at now: MonotonicInstant, decay: Duration) {
        let nanoseconds = Double(max(1, latency.saturatedNanoseconds))
        if nanoseconds >= cost {
            cost = nanoseconds
        } else {
            let kept = Self.kept(from: moment, to: now, decay)
            cost = cost * kept + nanoseconds * (1 - kept)
        }
        moment = max(now, moment)
    }

    /// The present cost in nanoseconds: with time that brings no answers, it falls towards nothing, so that an endpoint
    /// that was slow is tried again.
    func cost(at now: MonotonicInstant, decay: Duration) -> Double { cost * Self.kept(from: moment, to: now, decay) }

    private static func kept(from past: MonotonicInstant, to now: MonotonicInstant, _ decay: Duration) -> Double {
        let time = Double(max(0, past.duration(to: now).saturatedNanoseconds))
        return (-time / Double(max(1, decay.saturatedNanoseconds))).exponential
    }
}
