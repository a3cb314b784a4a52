// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Tries calls again that failed with a code that may pass, each time through all interceptors behind it.
///
/// Every try discovers and picks anew; endpoints at which this call failed are avoided while others are left. Servers
/// may ask for another wait, or for no retry (`grpc-retry-pushback-ms`); they see the number of tries before in
/// `grpc-previous-rpc-attempts`. A call is committed, and not tried again, once its response's head has arrived
/// (``RPCError/Progress/answered``), or once its streamed request is larger than the replay buffer. Source: gRFC A6.
public struct Retry: RetryingInterceptor {
    let schedule: RetrySchedule
    let codes: Set<Status.Code>
    let total: Duration?
    let replayLimit: Int
    let random: any RandomSource
    let clock: any MonotonicClock
    private let tryTimeout: TryTimeout?
    private var throttle: SharedRetryThrottle?
    private let budget: RetryBudget?

    /// Retries on a schedule.
    ///
    /// - Parameters:
    ///   - codes: the codes that are tried again.
    ///   - total: no try starts later than this after the first; nil leaves it to the call's deadline.
    ///   - perTry: the time of one try, until its answer or the head of a streamed one; a try that takes longer is
    ///     given up and made again, whatever `codes` are. nil gives each try all the time that the call has.
    ///   - throttle: stops retries while most calls fail; nil never does.
    ///   - budget: bounds the retries of all calls together; nil does not.
    ///   - replayLimit: bytes of a streamed request that are kept for another try.
    ///   - random: what jitter is drawn from.
    ///   - clock: the clock of the channel.
    public init(
        _ schedule: RetrySchedule = .exponential(), codes: Set<Status.Code> = [.unavailable],
        total: Duration? = nil, perTry: Duration? = nil, throttle: RetryThrottle? = nil, budget: RetryBudget? = nil,
        replayLimit: Int = 256 * 1024, random: any RandomSource = SplitMixRandom.shared,
        clock: any MonotonicClock = SystemClock()
    ) {
        self.schedule = schedule
        self.codes = codes
        self.total = total
        self.replayLimit = replayLimit
        self.random = random
        self.clock = clock
        self.budget = budget
        tryTimeout = perTry.map { TryTimeout(duration: $0, clock: clock) }
        self.throttle = throttle.map(SharedRetryThrottle.init)
    }

    /// The same policy on a throttle that others use, too; nil for none.
    package func sharing(_ throttle: SharedRetryThrottle?) -> Retry {
        var copy = self
        copy.throttle = throttle
        return copy
    }

    /// Sends the call until it succeeds, or fails for good.
    ///
    /// - Throws: the last try's error, with notes on attempts and time; CANCELLED when the task was cancelled and there
    ///   would have been another try.
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        let request = ReplayableRequest(call.request, limit: replayLimit)
        let started = total == nil ? call.started : clock.now
        var call = call
        var course = RetryCourse(schedule: schedule, codes: codes, lastStart: lastStart(started))
        budget?.callStarted()
        while true {
            call.request = request.forNextTry()
            do {
                let response =
                    if let tryTimeout { try await tryTimeout.send(call, to: next) } else { try await next(call) }
                request.commit()
                noteSuccess(response)
                return response
            } catch {
                let failure = RPCError(wrapping: error)
                let step = decide(&course, failure, of: call, request, isClosed: next.isClosed)
                guard case .again(let wait, _) = step else {
                    request.abandon()
                    throw annotated(failure, step, course, call.deadline, started)
                }
                try await pause(wait, after: failure, of: call, request)
                prepare(&call, after: failure, course)
            }
        }
    }

    private func lastStart(_ started: MonotonicInstant?) -> CallDeadline {
        guard let started, let total else { return .none }
        return CallDeadline(at: started.advanced(by: total))
    }

    private func decide(
        _ course: inout RetryCourse, _ error: RPCError, of call: ClientCall, _ request: ReplayableRequest,
        isClosed: Bool
    ) -> RetryCourse.Step {
        let timedOut = tryTimeout?.ended(error, of: call) == true
        guard request.endTry() else {
            return .stop(timedOut || codes.contains(error.code) ? .tooLarge : .notRetryable)
        }
        guard !isClosed else { return .stop(.notRetryable) }
        let (now, jitter, before) = (clock.now, random.unit(), course)
        var none: RetryThrottle?
        func step(_ throttle: inout RetryThrottle?) -> (RetryCourse, RetryCourse.Step) {
            var course = before
            let step = course.failed(
                error, timedOut: timedOut, at: now, deadline: call.deadline, throttle: &throttle, random: jitter)
            return (course, step)
        }
        let (after, decision) = throttle?.decide(step) ?? step(&none)
        if case .again(_, counted: true) = decision, budget?.takeRetry(at: now) == false { return .stop(.overBudget) }
        course = after
        return decision
    }

    private func pause(
        _ wait: Duration, after failure: RPCError, of call: ClientCall, _ request: ReplayableRequest
    ) async throws {
        do {
            try Task.checkCancellation()
            call.observer?.retrying(call, after: failure, delay: wait)
            if wait > .zero { try await clock.sleep(until: clock.now.advanced(by: wait)) } else { await Task.yield() }
        } catch {
            request.abandon()
            throw RPCError(.cancelled, "the calling task was cancelled between two tries", cause: "\(failure)")
        }
    }

    private func prepare(_ call: inout ClientCall, after error: RPCError, _ course: RetryCourse) {
        call.avoid(error.pickedHandle)
        call.attempt = course.attempt
        if course.attempt > 1 { call.metadata["grpc-previous-rpc-attempts"] = String(course.attempt - 1) }
    }

    private func noteSuccess(_ response: ClientResponse) {
        guard let throttle else { return }
        response.onEnd { error in
            if error == nil { throttle.succeeded() }
        }
    }

    private func annotated(
        _ error: RPCError, _ step: RetryCourse.Step, _ course: RetryCourse, _ deadline: CallDeadline,
        _ started: MonotonicInstant?
    ) -> RPCError {
        guard case .stop(let reason) = step, course.attempt > 1 || reason != .notRetryable else { return error }
        var error = error.with(note: "attempt \(course.attempt) of \(schedule.maximumAttempts)")
        if let note = reason.note { error = error.with(note: note) }
        guard let started, !deadline.isNone else { return error }
        let (spent, whole) = (started.duration(to: clock.now), started.duration(to: deadline.instant))
        return error.with(note: "\(spent.inSeconds) of \(whole.inSeconds) s spent")
    }
}

extension RetryCourse.Reason {
    fileprivate var note: String? {
        switch self {
        case .notRetryable, .exhausted: nil
        case .committed: "its response had begun"
        case .serverSaysNo: "the server asked for no retry"
        case .tooLarge: "its streamed request is larger than the replay buffer"
        case .throttled: "retries are throttled because too many calls fail"
        case .noTimeLeft: "the next try would come after the deadline"
        case .totalSpent: "the total time for tries is spent"
        case .overBudget: "the channel's retry budget is spent"
        }
    }
}

extension Retry: DescribedPolicy {
    /// How often, how long and after what it tries again.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("attempts", schedule.maximumAttempts), PolicyValue("waits", schedule),
            PolicyValue("codes", codes), PolicyValue("total", total), PolicyValue("perTry", tryTimeout?.duration),
            PolicyValue("budget", budget), PolicyValue("throttle", throttle?.current),
            PolicyValue("replayLimit", "\(replayLimit) bytes"),
        ]
    }
}
