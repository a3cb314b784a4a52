// SPDX-License-Identifier: Apache-2.0

import LoadFigures

/// What a run shall do.
struct LoadPlan: Sendable, Hashable {
    /// Calls at once.
    let lanes: Int
    /// Calls a second; nil for a closed loop.
    let rate: Double?
    let ramp: Duration
    let warmUp: Duration
    /// The time that is measured.
    let duration: Duration

    /// The end of the run after its start.
    var end: Duration { warmUp + duration }

    var schedule: ArrivalSchedule? { rate.map { ArrivalSchedule(rate: $0, ramp: ramp) } }
}
