// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// One call while it is hedged. Confined to the task of the call; its tries are child tasks.
struct HedgedCall {
    private enum Event: Sendable {
        case answered(Int, ClientResponse)
        case failed(Int, RPCError)
        /// The time of a try has come, unless the course has changed since.
        case due
    }

    private typealias Group = TaskGroup<Event>

    private let call: ClientCall
    private let policy: Hedging
    private let next: ClientNext
    private let picks: Picks
    // The request, if it is a stream.
    private let stream: HedgedRequest?
    private var course: HedgeCourse
    // What the call fails with when no other try is made.
    private var lastError: RPCError?

    init(_ call: ClientCall, _ policy: Hedging, _ next: ClientNext) {
        self.policy = policy
        self.next = next
        picks = Picks(telling: call.observer)
        stream =
            if case .stream(let source) = call.request { HedgedRequest(source, limit: policy.replayLimit) } else { nil }
        var call = call
        call.observer = picks
        call.record?.hedges()
        self.call = call
        course = HedgeCourse(
            maximumAttempts: policy.maximumAttempts, delay: policy.delay.present, nonFatal: policy.nonFatal)
    }

    /// The first good answer.
    ///
    /// - Throws: the error that ended the call.
    func answer() async throws -> ClientResponse {
        let result = await withTaskGroup(of: Event.self) { group -> Result<ClientResponse, RPCError> in
            var hedged = self
            let result = await hedged.run(&group)
            if case .failure = result { stream?.abandon() }
            group.cancelAll()
            // A loser that was answered in this moment, too.
            for await case .answered(_, let response) in group { response.abandon() }
            return result
        }
        return try result.get()
    }

    private mutating func run(_ group: inout Group) async -> Result<ClientResponse, RPCError> {
        sendNext(&group)
        sendDue(&group)
        while let event = await group.next() {
            switch event {
            case .answered(let number, let response):
                stream?.commit(to: number)
                return .success(response)
            case .due: sendDue(&group)
            case .failed(let number, _) where stream?.hasLost(number) == true: course.tryLost()
            case .failed(_, let error): if let failure = goOn(after: error, &group) { return .failure(failure) }
            }
        }
        // The time of a try came, and it was not sent.
        guard let lastError, !Task.isCancelled else { return .failure(cancelled(after: lastError)) }
        return .failure(noted(lastError))
    }

    private mutating func goOn(after error: RPCError, _ group: inout Group) -> RPCError? {
        lastError = error
        if next.isClosed || stream?.canRepeat == false { course.stop() }
        let (before, now) = (course, policy.clock.now)
        func step(_ throttle: inout RetryThrottle?) -> (HedgeCourse, HedgeCourse.Step) {
            var course = before
            let step = course.failed(error, at: now, throttle: &throttle)
            return (course, step)
        }
        var none: RetryThrottle?
        let (after, decision) = policy.throttle?.decide(step) ?? step(&none)
        course = after
        // The others are cancelled, too: whatever they say, nobody waits for it.
        if Task.isCancelled, !course.isFatal(error) { return cancelled(after: error) }
        switch decision {
        case .fail: return noted(error)
        case .send where takesBudget(now): sendNext(&group)
        case .send: if course.running == 0 { return noted(error, "the channel's retry budget is spent") }
        case .wait where waitsInVain: return noted(error, "the next try would come after the deadline")
        case .wait: scheduleNext(&group)
        }
        return nil
    }

    private var waitsInVain: Bool {
        guard course.running == 0, let dueAt = course.dueAt else { return false }
        return call.deadline.hasPassed(at: dueAt)
    }

    private func cancelled(after error: RPCError?) -> RPCError {
        RPCError(.cancelled, "the calling task was cancelled", cause: error.map { "\($0)" } ?? "")
    }

    private func noted(_ error: RPCError, _ reason: String? = nil) -> RPCError {
        let counted = course.sent > 1 ? error.with(note: "attempt \(course.sent) of \(course.maximumAttempts)") : error
        return reason.map { counted.with(note: $0) } ?? counted
    }

    private mutating func sendDue(_ group: inout Group) {
        if stream?.canRepeat == false { course.stop() }
        while !Task.isCancelled, course.isDue(at: policy.clock.now, throttle: policy.throttle?.current) {
            guard takesBudget(policy.clock.now) else { return }
            sendNext(&group)
        }
    }

    private mutating func takesBudget(_ now: MonotonicInstant) -> Bool {
        guard policy.budget?.takeRetry(at: now) == false else { return true }
        course.stop()
        return false
    }

    private mutating func sendNext(_ group: inout Group) {
        course.trySent(at: policy.clock.now)
        var call = call
        call.attempt = course.sent
        if let stream { call.request = .stream(stream.reader(of: course.sent)) }
        for handle in picks.all { call.avoid(handle) }
        if course.sent > 1 { call.metadata["grpc-previous-rpc-attempts"] = String(course.sent - 1) }
        group.addTask { [call, next, clock = policy.clock] in
            do {
                return .answered(call.attempt, try await TransparentTries.send(call, to: next, clock))
            } catch {
                return .failed(call.attempt, RPCError(wrapping: error))
            }
        }
        scheduleNext(&group)
    }

    private func scheduleNext(_ group: inout Group) {
        guard let dueAt = course.dueAt, dueAt > policy.clock.now else { return }
        group.addTask { [clock = policy.clock] in
            try? await clock.sleep(until: dueAt)
            return .due
        }
    }
}

/// Remembers where the tries of a call went, and passes on what the call's observer is told.
private final class Picks: Observer {
    private let base: (any Observer)?
    private let handles = Mutex<[EndpointHandle]>([])

    init(telling base: (any Observer)?) { self.base = base }

    var all: [EndpointHandle] { handles.withLock { $0 } }

    func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
        handles.withLock { $0.append(endpoint) }
        base?.picked(endpoint, for: call)
    }

    func attemptStarted(_ call: ClientCall) { base?.attemptStarted(call) }
    func attemptEnded(_ call: ClientCall, error: RPCError?) { base?.attemptEnded(call, error: error) }
    func waiting(_ call: ClientCall, for endpoint: EndpointHandle) { base?.waiting(call, for: endpoint) }
    func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) {
        base?.retrying(call, after: error, delay: delay)
    }
    func policyEvent(_ event: PolicyEvent) { base?.policyEvent(event) }
    func policyEvent(_ event: PolicyEvent, of target: String) { base?.policyEvent(event, of: target) }
    func resolved(_ target: String, candidates: Candidates) { base?.resolved(target, candidates: candidates) }
    func resolved(_ target: String, from old: Candidates?, to new: Candidates?) {
        base?.resolved(target, from: old, to: new)
    }
    func connectivityChanged(_ endpoint: Endpoint, to state: ConnectivityState) {
        base?.connectivityChanged(endpoint, to: state)
    }
    func connectivityChanged(_ endpoint: Endpoint, from old: ConnectivityState, to new: ConnectivityState) {
        base?.connectivityChanged(endpoint, from: old, to: new)
    }
}

extension ClientResponse {
    /// Nobody will read it.
    func abandon() {
        if case .stream(let source) = body { source.cancel() }
    }
}
