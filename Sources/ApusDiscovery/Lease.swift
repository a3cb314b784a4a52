// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// What a registry that keeps leases in files needs of time: one clock that never goes back, for waiting, and the
/// time of day that file systems write.
package struct LeaseClock: Sendable {
    package let monotonic: any MonotonicClock
    /// Nanoseconds since 1970, as files' modification times have it.
    package let wall: @Sendable () -> Int64

    package init(monotonic: any MonotonicClock, wall: @escaping @Sendable () -> Int64) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

/// When an owner renews its entry.
struct Lease: Sendable {
    /// What an entry's lease may be, in milliseconds.
    static let milliseconds = 100.0...86_400_000.0

    let duration: Duration
    private(set) var renewed: MonotonicInstant
    private var attempted: MonotonicInstant

    init(_ duration: Duration, renewed: MonotonicInstant) {
        self.duration = duration
        self.renewed = renewed
        attempted = renewed
    }

    /// The moment of the next heartbeat: three fit into a lease, also after one that failed.
    var nextHeartbeat: MonotonicInstant { attempted.advanced(by: duration / 3) }

    /// A heartbeat begins.
    mutating func attempt(at now: MonotonicInstant) { attempted = now }

    /// The entry's file was touched, or written; `start` and `end` are the moments before and after.
    ///
    /// - Returns: whether readers may have seen the entry expire meanwhile, because the owner was suspended. They
    ///   would not notice the touch: the entry must be written anew.
    mutating func touched(from start: MonotonicInstant, to end: MonotonicInstant) -> Bool {
        let gap = renewed.duration(to: end)
        renewed = start
        return gap > duration * 2 / 3
    }
}

/// What a reader knows of an entry's lease.
///
/// The time of day counts only when a modification time is seen first; from then on the lease runs on the monotonic
/// clock, so that a clock that is set cannot make living entries expire or dead ones live on.
struct ObservedLease: Sendable, Equatable {
    /// Expired entries stay for so many leases before a writer removes their files.
    private static let sweepAfter = 4

    let modified: Int64
    let duration: Duration
    private(set) var expires: MonotonicInstant

    /// A file whose modification time (nanoseconds since 1970) was not seen before.
    init(modified: Int64, duration: Duration, wall: Int64, now: MonotonicInstant) {
        self.modified = modified
        self.duration = duration
        let (age, overflow) = wall.subtractingReportingOverflow(modified)
        expires = now.advanced(by: duration - .nanoseconds(overflow ? 0 : max(0, age)))
    }

    /// The registry could not be reached from `last` until now, by its owners neither: who was alive then gets a whole
    /// lease to come back.
    mutating func outageEnded(since last: MonotonicInstant, now: MonotonicInstant) {
        if !hasExpired(at: last) { expires = max(expires, now.advanced(by: duration)) }
    }

    /// Whether the entry's owner is gone.
    func hasExpired(at now: MonotonicInstant) -> Bool { now >= expires }

    /// Whether a writer should remove the entry.
    func canBeSwept(at now: MonotonicInstant) -> Bool { now >= expires.advanced(by: duration * Self.sweepAfter) }
}
