// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport

/// How an instance stays in etcd: a lease is granted, the key is put under it, and the lease is kept alive three times
/// in its time. A lease that etcd does not know any more took the key with it: both are made anew.
struct LeaseCourse {
    /// What to ask etcd for.
    enum Step: Equatable {
        case grant
        case put(lease: Int64)
        case keepAlive(lease: Int64)
    }

    private let backoff: ConnectionBackoff
    private var timeToLive: Duration
    private var isPut = false
    private var failures = 0
    /// The lease that etcd granted last.
    private(set) var lease: Int64?
    /// When ``step`` is due.
    private(set) var due: MonotonicInstant

    init(now: MonotonicInstant, backoff: ConnectionBackoff = .etcd) {
        self.backoff = backoff
        timeToLive = .zero
        due = now
    }

    var step: Step {
        guard let lease else { return .grant }
        return isPut ? .keepAlive(lease: lease) : .put(lease: lease)
    }

    /// A lease was granted.
    ///
    /// - Parameter now: the moment before it was asked for.
    mutating func granted(_ lease: Int64, seconds: Int64, at now: MonotonicInstant) {
        self.lease = lease
        isPut = false
        timeToLive = .seconds(max(1, min(seconds, 86_400)))
        due = now
    }

    /// The key was put under the lease, which was granted at `now` at the earliest.
    mutating func put(at now: MonotonicInstant) {
        isPut = true
        renewed(at: now)
    }

    /// etcd has answered a heartbeat that was sent at `now`: so many seconds are left, 0 of a lease that is gone.
    mutating func keptAlive(seconds: Int64, at now: MonotonicInstant) {
        guard seconds > 0 else { return lost(at: now) }
        timeToLive = .seconds(min(seconds, 86_400))
        renewed(at: now)
    }

    /// A step failed.
    ///
    /// - Parameter unit: a random number in `0..<1`.
    mutating func failed(_ code: Status.Code, at now: MonotonicInstant, unit: Double) {
        failures = min(failures + 1, 1000)
        if code == .notFound {
            lease = nil
            isPut = false
        }
        due = now.advanced(by: backoff.delay(failures: failures, unit: unit))
    }

    private mutating func renewed(at now: MonotonicInstant) {
        failures = 0
        due = now.advanced(by: timeToLive / 3)
    }

    private mutating func lost(at now: MonotonicInstant) {
        lease = nil
        isPut = false
        due = now
    }
}
