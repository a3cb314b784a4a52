// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Gives every call one deadline over all its tries; put it in front of ``Retry``.
///
/// A call ends at the earliest of three moments: what the caller asked for, `timeout` from now, and the deadline of
/// the call that the current task handles, so that no work goes on for a caller who has given up.
/// The transport ends a try that reaches the deadline; interceptors that wait honour it themselves.
public struct Deadline: ClientInterceptor {
    let rule: DeadlineRule
    let clock: any MonotonicClock

    /// A deadline `timeout` after each call starts. A timeout of zero or less leaves no time: every call fails.
    ///
    /// - Parameter clock: the clock of the channel and of the server whose deadlines are inherited.
    public init(_ timeout: Duration, clock: any MonotonicClock = SystemClock()) {
        self.init(rule: DeadlineRule(timeout: timeout), clock: clock)
    }

    private init(rule: DeadlineRule, clock: any MonotonicClock) {
        self.rule = rule
        self.clock = clock
    }

    /// A deadline `timeout` after each call starts, and for a call made inside a handler one that leaves the handler
    /// `margin` to answer before its own call ends: what it asks for then fails while it can still say so.
    ///
    /// Cancellation needs no policy: a call made by a handler's task is cancelled with it.
    ///
    /// - Parameters:
    ///   - timeout: nil for no limit of its own.
    ///   - margin: a negative one counts as zero.
    public init(_ timeout: Duration?, margin: Duration, clock: any MonotonicClock = SystemClock()) {
        self.init(rule: DeadlineRule(timeout: timeout, margin: max(.zero, margin)), clock: clock)
    }

    /// No timeout of its own: a call made inside a handler ends when the handler's own call does.
    public static var inherited: Deadline { inherited(clock: SystemClock()) }

    /// As ``inherited``, on a clock of yours.
    public static func inherited(clock: any MonotonicClock) -> Deadline {
        Deadline(rule: DeadlineRule(timeout: nil), clock: clock)
    }

    /// Sets the deadline.
    ///
    /// - Throws: DEADLINE_EXCEEDED at once, with nothing sent, when no time is left.
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        try limit(&call)
        return try await next(call)
    }

    // A function of its own: what it needs is gone before the `await`, and nothing has to be done behind that.
    private func limit(_ call: inout ClientCall) throws(RPCError) {
        let now = clock.now
        call.deadline = try rule.deadline(asked: call.deadline, inherited: ServerCall.inheritedDeadline, now: now)
        if call.started == nil { call.started = now }
    }
}

/// Decides when a call ends.
struct DeadlineRule: Sendable {
    /// The time that a call may take; nil for no limit of its own.
    let timeout: Duration?
    /// What is left to the handler that makes the call, before its own call ends.
    var margin = Duration.zero

    /// The earliest of the three deadlines.
    ///
    /// - Throws: DEADLINE_EXCEEDED when it is not after `now`.
    func deadline(asked: CallDeadline, inherited: CallDeadline, now: MonotonicInstant) throws(RPCError) -> CallDeadline
    {
        let inherited = inherited.isNone ? inherited : CallDeadline(at: inherited.instant.advanced(by: .zero - margin))
        let own = timeout.map { CallDeadline(at: now.advanced(by: $0)) } ?? .none
        let deadline = min(asked, inherited, own)
        guard deadline.hasPassed(at: now) else { return deadline }
        throw CallDeadline.exceeded(Self.reason(deadline, inherited, own), progress: .notConnected)
    }

    private static func reason(_ deadline: CallDeadline, _ inherited: CallDeadline, _ own: CallDeadline) -> String {
        switch deadline {
        case own: "before the call started: the channel's Deadline must be longer than zero"
        case inherited: "before the call started: the call that this handler serves has no time left"
        default: "before the call started: its timeout had passed already"
        }
    }
}

extension Deadline: DescribedPolicy {
    /// The time for a call, and what is kept back of an inherited one.
    public var policyValues: [PolicyValue] {
        [PolicyValue("timeout", rule.timeout.map { "\($0)" } ?? "inherited"), PolicyValue("margin", rule.margin)]
    }
}
