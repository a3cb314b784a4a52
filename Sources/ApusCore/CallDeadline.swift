// SPDX-License-Identifier: Apache-2.0

/// The moment at which a call ends whatever happens, or none. One value for all tries of a call.
///
/// It travels as the time that is left (`grpc-timeout`), rounded up by at most a hundredth, never as a time of day.
public struct CallDeadline: Sendable, Hashable, Comparable {
    /// The moment, ``MonotonicInstant`` with the largest value when there is none.
    public let instant: MonotonicInstant

    /// A deadline at a moment.
    public init(at instant: MonotonicInstant) { self.instant = instant }

    /// No deadline: the call may take for ever.
    public static let none = CallDeadline(at: MonotonicInstant(nanoseconds: .max))

    /// Whether there is no deadline.
    @inlinable public var isNone: Bool { instant.nanoseconds == .max }

    /// Whether the moment has come.
    public func hasPassed(at now: MonotonicInstant) -> Bool { !isNone && now >= instant }

    /// The time that is left at `now`, negative when it has passed; nil when there is no deadline.
    public func remaining(at now: MonotonicInstant) -> Duration? {
        isNone ? nil : now.duration(to: instant)
    }

    /// As ``remaining(at:)``, held at the ends of `Int64`.
    package func nanosecondsLeft(at now: MonotonicInstant) -> Int64? {
        guard !isNone else { return nil }
        let (left, overflow) = instant.nanoseconds.subtractingReportingOverflow(now.nanoseconds)
        return overflow ? (instant < now ? .min : .max) : left
    }

    /// The error of a call that is past its deadline.
    package static func exceeded(_ what: String, progress: RPCError.Progress = .sent) -> RPCError {
        RPCError(.deadlineExceeded, "deadline exceeded \(what)", progress: progress)
    }

    /// The earlier one first; none is last.
    public static func < (left: CallDeadline, right: CallDeadline) -> Bool { left.instant < right.instant }
}
