// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Tries calls again that failed with a code that may pass, each time through all interceptors behind it.
///
/// Every try discovers and picks anew; endpoints at which this call failed are avoided while others are left. Servers
/// may ask for another wait, or for no retry (`grpc-retry-pushback-ms`); they see the number of tries before in
/// `grpc-previous-rpc-attempts`. A call is committed, and not tried again, once its response's head has arrived
/// (``RPCError/Progress/answered``), or once its streamed request is larger than the replay buffer. Source: gRFC A6.
public struct Retry: RetryingInterceptor {
    let schedule: RetrySchedule
    let codes: Set<Status.Code>
    let replayLimit: Int
    let random: any RandomSource
    let clock: any MonotonicClock
    private let throttle: Throttle?

    /// Shared by all calls of the channel.
    private final class Throttle: Sendable {
        let bucket: Mutex<RetryThrottle?>
        init(_ full: RetryThrottle) { bucket = Mutex(full) }
    }

    /// Retries on a schedule.
    ///
    /// - Parameters:
    ///   - codes: the codes that are tried again.
    ///   - throttle: stops retries while most calls fail; nil never does.
    ///   - replayLimit: bytes of a streamed request that are kept for another try.
    ///   - random: what jitter is drawn from.
    ///   - clock: the clock of the channel.
    public init(
        _ schedule: RetrySchedule = .exponential(), codes: Set<Status.Code> = [.unavailable],
        throttle: RetryThrottle? = nil, replayLimit: Int = 256 * 1024,
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        self.schedule = schedule
        self.codes = codes
        self.throttle = throttle.map(Throttle.init)
        self.replayLimit = replayLimit
        self.random = random
        self.clock = clock
    }

    /// Sends the call until it succeeds, or fails for good.
    ///
    /// - Throws: the last try's error, with notes on attempts and time; CANCELLED when the task was cancelled between
    ///   two tries.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let request = ReplayableRequest(call.request, limit: replayLimit)
        let started = call.deadline.isNone ? nil : clock.now
        var call = call
        var course = RetryCourse(schedule: schedule, codes: codes)
        while true {
            call.request = request.forNextTry()
            do {
                let response = try await next(call)
                request.commit()
                noteSuccess(response)
                return response
            } catch {
                let failure = RPCError(wrapping: error)
                let step = decide(&course, failure, call.deadline, request, isClosed: next.isClosed)
                guard case .again(let wait, _) = step else {
                    request.abandon()
                    throw annotated(failure, step, course, call.deadline, started)
                }
                try await pause(wait, after: failure, of: call, request)
                prepare(&call, after: failure, course)
            }
        }
    }

    private func decide(
        _ course: inout RetryCourse, _ error: RPCError, _ deadline: CallDeadline, _ request: ReplayableRequest,
        isClosed: Bool
    ) -> RetryCourse.Step {
        guard request.endTry() else { return .stop(codes.contains(error.code) ? .tooLarge : .notRetryable) }
        guard !Task.isCancelled, !isClosed else { return .stop(.notRetryable) }
        var local = course
        var none: RetryThrottle?
        let (now, jitter) = (clock.now, random.unit())
        let step =
            throttle?.bucket.withLock {
                local.failed(error, at: now, deadline: deadline, throttle: &$0, random: jitter)
            } ?? local.failed(error, at: now, deadline: deadline, throttle: &none, random: jitter)
        course = local
        return step
    }

    private func pause(
        _ wait: Duration, after failure: RPCError, of call: ClientCall, _ request: ReplayableRequest
    ) async throws {
        call.observer?.retrying(call, after: failure, delay: wait)
        do {
            if wait > .zero { try await clock.sleep(until: clock.now.advanced(by: wait)) } else { await Task.yield() }
        } catch {
            request.abandon()
            throw RPCError(.cancelled, "the calling task was cancelled between two tries", cause: "\(failure)")
        }
    }

    private func prepare(_ call: inout ClientCall, after error: RPCError, _ course: RetryCourse) {
        if let failed = error.pickedHandle, !call.avoided.contains(failed) { call.avoided.append(failed) }
        call.attempt = course.attempt
        if course.attempt > 1 { call.metadata["grpc-previous-rpc-attempts"] = String(course.attempt - 1) }
    }

    private func noteSuccess(_ response: ClientResponse) {
        guard let throttle else { return }
        response.onEnd { error in
            if error == nil { throttle.bucket.withLock { $0?.succeeded() } }
        }
    }

    private func annotated(
        _ error: RPCError, _ step: RetryCourse.Step, _ course: RetryCourse, _ deadline: CallDeadline,
        _ started: MonotonicInstant?
    ) -> RPCError {
        guard case .stop(let reason) = step, course.attempt > 1 || reason != .notRetryable else { return error }
        var error = error.with(note: "attempt \(course.attempt) of \(schedule.maximumAttempts)")
        if let note = reason.note { error = error.with(note: note) }
        guard let started else { return error }
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
        }
    }
}

extension Duration {
    /// Seconds with one decimal, such as `1.2`.
    fileprivate var inSeconds: String {
        let tenths = saturatedNanoseconds / 100_000_000
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
