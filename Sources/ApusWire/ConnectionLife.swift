// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// How long a connection may live, busy or idle. Knows no clock. Source: gRFC A9.
package struct ConnectionLife: Sendable {
    /// The limits; nil means none.
    package struct Limits: Sendable {
        package var idle: Duration?
        package var age: Duration?
        package var ageGrace: Duration?

        package init(idle: Duration? = nil, age: Duration? = nil, ageGrace: Duration? = nil) {
            self.idle = idle
            self.age = age
            self.ageGrace = ageGrace
        }
    }

    package enum Action: Equatable, Sendable {
        /// Nothing to do, ever.
        case rest
        /// Nothing to do before then.
        case wait(until: MonotonicInstant)
        /// Let calls in flight finish and take no new ones; then look again.
        case drain(String)
        /// Close now.
        case close(String)
    }

    private var limits: Limits
    private let oldAge: MonotonicInstant?
    private var drainedAt: MonotonicInstant?

    // So that connections that were made together do not end together.
    private static let jitter = 0.1

    /// - Parameter unit: a random number in `0..<1`, which moves the age by at most a tenth.
    package init(_ limits: Limits, from start: MonotonicInstant, unit: Double) {
        self.limits = limits
        oldAge = limits.age.map { start.advanced(by: $0 * (1 + Self.jitter * (2 * unit - 1))) }
    }

    /// Changes how long the connection may be idle: look anew at ``next(at:hasCalls:lastCall:)``.
    package mutating func setIdle(_ idle: Duration?) { limits.idle = idle }

    /// - Parameter lastCall: when a call last began or ended, or the connection was made.
    package mutating func next(at now: MonotonicInstant, hasCalls: Bool, lastCall: MonotonicInstant) -> Action {
        if let drainedAt {
            guard let grace = limits.ageGrace else { return .rest }
            let due = drainedAt.advanced(by: grace)
            return due <= now ? .close("the connection's age grace is over") : .wait(until: due)
        }
        var due: [MonotonicInstant] = []
        if let oldAge {
            if oldAge <= now { return drain("the connection is old", now) }
            due.append(oldAge)
        }
        if let idle = limits.idle {
            let end = (hasCalls ? now : lastCall).advanced(by: idle)
            if end <= now { return drain("the connection was idle", now) }
            due.append(end)
        }
        return due.min().map { .wait(until: $0) } ?? .rest
    }

    private mutating func drain(_ reason: String, _ now: MonotonicInstant) -> Action {
        drainedAt = now
        return .drain(reason)
    }
}
