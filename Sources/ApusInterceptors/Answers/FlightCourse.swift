// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Who of those that share a call is left. Who started it is the first.
struct FlightCourse: Sendable {
    /// How a caller that asks the same gets its answer.
    enum Boarding: Equatable {
        /// With the others.
        case shared
        /// By a call of its own, which nobody joins: it has less time than the shared one.
        case alone
        /// By the next shared call: all callers of this one have left, and it is being cancelled.
        case next
    }

    /// When the shared call ends.
    let deadline: CallDeadline
    private var passengers = 1
    private var hasLanded = false

    init(_ deadline: CallDeadline) { self.deadline = deadline }

    /// Whether the call is cancelled: nobody waits for it.
    var isAbandoned: Bool { passengers == 0 && !hasLanded }

    /// Another caller comes.
    mutating func board(_ deadline: CallDeadline) -> Boarding {
        guard deadline >= self.deadline else { return .alone }
        guard passengers > 0 else { return .next }
        passengers += 1
        return .shared
    }

    /// A caller waits no longer, or has its answer.
    mutating func leave() { passengers -= 1 }

    /// The answer is there.
    mutating func land() { hasLanded = true }
}
