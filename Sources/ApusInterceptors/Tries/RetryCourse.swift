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
        case notRetryable, committed, tooLarge, exhausted, serverSaysNo, throttled, noTimeLeft, totalSpent, overBudget
    }

    let schedule: RetrySchedule
    let codes: Set<Status.Code>
    /// The moment after which no try starts, besides the call's deadline.
    let lastStart: CallDeadline
    /// The number of the present try; transparent retries keep it.
    private(set) var attempt = 1
    // The place in the row of waits: a server's pushback starts the row again.
    private var waits = 0
    private var transparentTries = TransparentTries()

    init(schedule: RetrySchedule, codes: Set<Status.Code>, lastStart: CallDeadline = .none) {
        self.schedule = schedule
        self.codes = codes
        self.lastStart = lastStart
    }

    /// What follows the present try's failure.
    ///
    /// - Parameters:
    ///   - timedOut: whether the try's own time was up: it is tried again whatever the codes are.
    ///   - random: in `0..<1`.
    mutating func failed(
        _ error: RPCError, timedOut: Bool = false, at now: MonotonicInstant, deadline: CallDeadline,
        throttle: inout RetryThrottle?, random: Double
    ) -> Step {
        let wait = transparentTries.wait(after: error.progress)
        let retryable = timedOut || codes.contains(error.code)
        let step = wait.map { .again(after: $0, counted: false) } ?? scheduled(error, retryable, &throttle, random)
        guard case .again(let wait, let counted) = step else { return step }
        let next = now.advanced(by: wait)
        if deadline.hasPassed(at: next) { return .stop(.noTimeLeft) }
        if lastStart.hasPassed(at: next) { return .stop(.totalSpent) }
        if counted { attempt += 1 }
        return step
    }

    private mutating func scheduled(
        _ error: RPCError, _ retryable: Bool, _ throttle: inout RetryThrottle?, _ random: Double
    ) -> Step {
        let pushback = RetryPushback(error)
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

    private mutating func wait(_ pushback: RetryPushback, _ random: Double) -> Duration {
        if case .wait(let asked) = pushback {
            waits = 0
            return asked
        }
        waits += 1
        return schedule.wait(beforeRetry: waits, random: random)
    }
}

/// What a server said, with the failure of a try, about another one. Source: gRFC A6, *Pushback*.
enum RetryPushback: Equatable {
    case none
    case never
    case wait(Duration)

    static let key = "grpc-retry-pushback-ms"

    init(_ error: RPCError) {
        guard let text = error.metadata[Self.key] else {
            self = .none
            return
        }
        guard let milliseconds = Int64(text), milliseconds >= 0 else {
            self = .never
            return
        }
        self = .wait(.milliseconds(milliseconds))
    }
}
