// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// One call's way through its tries: told of each failure, it says what comes next.
///
/// Three kinds of try: those that left nothing on the wire are repeated without limit, one that a server refused is
/// repeated once, both at once and on any channel; all others follow the schedule. Source: gRFC A6.
struct RetryCourse: Sendable {
    enum Step: Equatable {
        /// Try again after the wait; `counted` is false for a transparent retry.
        case again(after: Duration, counted: Bool)
        /// The call has failed.
        case stop(Reason)
    }

    enum Reason: Equatable {
        case notRetryable, committed, tooLarge, exhausted, serverSaysNo, throttled, noTimeLeft
    }

    /// What the failure of a try says about another one.
    private enum Pushback {
        case none, never
        case wait(Duration)
    }

    let schedule: RetrySchedule
    let codes: Set<Status.Code>
    /// The number of the present try; transparent retries keep it.
    private(set) var attempt = 1
    // The place in the row of waits: a server's pushback starts the row again.
    private var waits = 0
    private var transparentTries = TransparentTries()

    init(schedule: RetrySchedule, codes: Set<Status.Code>) {
        self.schedule = schedule
        self.codes = codes
    }

    /// What follows the present try's failure. `random` is in `0..<1`.
    mutating func failed(
        _ error: RPCError, at now: MonotonicInstant, deadline: CallDeadline, throttle: inout RetryThrottle?,
        random: Double
    ) -> Step {
        let wait = transparentTries.wait(after: error.progress)
        let step = wait.map { .again(after: $0, counted: false) } ?? scheduled(error, &throttle, random)
        guard case .again(let wait, let counted) = step else { return step }
        if deadline.hasPassed(at: now.advanced(by: wait)) { return .stop(.noTimeLeft) }
        if counted { attempt += 1 }
        return step
    }

    private mutating func scheduled(_ error: RPCError, _ throttle: inout RetryThrottle?, _ random: Double) -> Step {
        let pushback = Self.pushback(error)
        let retryable = codes.contains(error.code)
        if case .never = pushback {
            throttle?.failed()
            return .stop(.serverSaysNo)
        }
        guard retryable else { return .stop(.notRetryable) }
        throttle?.failed()
        guard error.progress != .answered else { return .stop(.committed) }
        guard attempt < schedule.maximumAttempts else { return .stop(.exhausted) }
        if let throttle, !throttle.allowsRetry { return .stop(.throttled) }
        return .again(after: wait(pushback, random), counted: true)
    }

    private mutating func wait(_ pushback: Pushback, _ random: Double) -> Duration {
        if case .wait(let asked) = pushback {
            waits = 0
            return asked
        }
        waits += 1
        return schedule.wait(beforeRetry: waits, random: random)
    }

    private static func pushback(_ error: RPCError) -> Pushback {
        guard let text = error.metadata["grpc-retry-pushback-ms"] else { return .none }
        guard let milliseconds = Int64(text), milliseconds >= 0 else { return .never }
        return .wait(.milliseconds(milliseconds))
    }
}
