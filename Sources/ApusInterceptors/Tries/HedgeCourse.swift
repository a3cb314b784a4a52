// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// One call's way through its hedged tries: told of time and of failures, it says what comes next.
///
/// Source: gRFC A6, *Hedging Policy*.
struct HedgeCourse: Sendable {
    /// What a failure means.
    enum Step: Equatable {
        /// Send the next try now.
        case send
        /// Others are under way, or a try is due later.
        case wait
        /// The call has failed with this error.
        case fail
    }

    let maximumAttempts: Int
    let delay: Duration
    let nonFatal: Set<Status.Code>
    /// Tries that were sent.
    private(set) var sent = 0
    /// Tries that were sent and have not ended.
    private(set) var running = 0
    /// When the next try is due; nil when there will be none unless one fails.
    private(set) var dueAt: MonotonicInstant?
    private var isStopped = false

    init(maximumAttempts: Int, delay: Duration, nonFatal: Set<Status.Code>) {
        self.maximumAttempts = max(1, maximumAttempts)
        self.delay = delay
        self.nonFatal = nonFatal
    }

    private var hasMore: Bool { sent < maximumAttempts && !isStopped }

    /// A try leaves: the next one is due a delay later.
    mutating func trySent(at now: MonotonicInstant) {
        sent += 1
        running += 1
        dueAt = hasMore ? now.advanced(by: delay) : nil
    }

    /// Whether the next try is to be sent now.
    mutating func isDue(at now: MonotonicInstant, throttle: RetryThrottle?) -> Bool {
        guard hasMore, let dueAt, dueAt <= now else { return false }
        if throttle?.allowsRetry == false {
            stop()
            return false
        }
        return true
    }

    /// No other try will be sent: the request cannot be repeated, or the call is over.
    mutating func stop() {
        isStopped = true
        dueAt = nil
    }

    /// A try ended because the call has committed to another one.
    mutating func tryLost() { running -= 1 }

    /// Whether this failure of a try is the call's own, whatever other tries might come to.
    func isFatal(_ error: RPCError) -> Bool { !nonFatal.contains(error.code) || error.progress == .answered }

    /// A try failed.
    mutating func failed(_ error: RPCError, at now: MonotonicInstant, throttle: inout RetryThrottle?) -> Step {
        running -= 1
        let pushback = RetryPushback(error)
        let goesOn = !isFatal(error)
        if goesOn || pushback == .never { throttle?.failed() }
        guard goesOn else { return .fail }
        if pushback == .never || throttle?.allowsRetry == false { stop() }
        guard hasMore else { return running > 0 ? .wait : .fail }
        if case .wait(let asked) = pushback {
            dueAt = now.advanced(by: asked)
            return .wait
        }
        return .send
    }
}
