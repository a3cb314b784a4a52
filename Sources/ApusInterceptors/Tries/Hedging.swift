// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Sends a call again while its first try is still under way, and takes the first good answer: for idempotent methods
/// whose slow calls are slow by chance.
///
/// Each try discovers and picks anew and avoids the endpoints of the others. The first answer wins; the other tries are
/// cancelled, on the wire, too. A failure with a code of `nonFatal` sends the next try at once; any other ends the
/// call. Servers may ask for another wait, or for no more tries (`grpc-retry-pushback-ms`), and see the number of tries
/// before in `grpc-previous-rpc-attempts`. Instead of ``Retry``, not besides it. Source: gRFC A6, *Hedging Policy*.
///
/// A streamed request goes to all tries while what would have to be kept of it fits `replayLimit`; above that the call
/// commits to the try that is ahead.
public struct Hedging: RetryingInterceptor {
    let maximumAttempts: Int
    let delay: HedgeDelay
    let nonFatal: Set<Status.Code>
    var throttle: SharedRetryThrottle?
    let budget: RetryBudget?
    let replayLimit: Int
    let clock: any MonotonicClock

    /// Hedges calls.
    ///
    /// - Parameters:
    ///   - maxAttempts: tries altogether, the first one included; below 1 it counts as 1.
    ///   - delay: the time between two tries.
    ///   - nonFatal: the codes that do not end the call.
    ///   - throttle: stops further tries while most fail; nil never does.
    ///   - budget: bounds the further tries of all calls together; nil does not.
    ///   - replayLimit: bytes of a streamed request that are kept for other tries.
    ///   - clock: the clock of the channel.
    public init(
        maxAttempts: Int = 2, delay: HedgeDelay, nonFatal: Set<Status.Code> = [.unavailable],
        throttle: RetryThrottle? = nil, budget: RetryBudget? = nil, replayLimit: Int = 256 * 1024,
        clock: any MonotonicClock = SystemClock()
    ) {
        maximumAttempts = maxAttempts
        self.delay = delay
        self.nonFatal = nonFatal
        self.throttle = throttle.map(SharedRetryThrottle.init)
        self.budget = budget
        self.replayLimit = replayLimit
        self.clock = clock
    }

    /// The same policy on a throttle that others use, too; nil for none.
    package func sharing(_ throttle: SharedRetryThrottle?) -> Hedging {
        var copy = self
        copy.throttle = throttle
        return copy
    }

    /// Sends the call until a try succeeds, or fails for good.
    ///
    /// - Throws: the error of the try that ended the call; CANCELLED when the task was cancelled and no try had failed
    ///   with another code than those of `nonFatal`.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        budget?.callStarted()
        let started = clock.now
        let response = try await HedgedCall(call, self, next).answer()
        let now = clock.now
        delay.note(started.duration(to: now), at: now)
        if let throttle { response.onEnd { if $0 == nil { throttle.succeeded() } } }
        return response
    }
}

extension TransparentTries {
    /// Sends a call, and again while no server has seen it.
    static func send(_ call: ClientCall, to next: ClientNext, _ clock: any MonotonicClock) async throws
        -> ClientResponse
    {
        var call = call
        var tries = TransparentTries()
        while true {
            do {
                return try await next(call)
            } catch {
                let error = RPCError(wrapping: error)
                guard call.request.isReplayable, !next.isClosed else { throw error }
                guard let wait = tries.wait(after: error.progress) else { throw error }
                try TransparentTries.checkCancellation(after: error)
                let moment = clock.now.advanced(by: wait)
                guard !call.deadline.hasPassed(at: moment) else { throw error }
                call.avoid(error.pickedHandle)
                if wait > .zero { try await clock.sleep(until: moment) }
            }
        }
    }
}

extension Hedging: DescribedPolicy {
    /// How many copies there are, and when.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("attempts", maximumAttempts), PolicyValue("delay", delay), PolicyValue("nonFatal", nonFatal),
            PolicyValue("budget", budget), PolicyValue("throttle", throttle?.current),
            PolicyValue("replayLimit", "\(replayLimit) bytes"),
        ]
    }
}
