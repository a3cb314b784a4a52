// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Fails calls at once while those before them failed: a server that is down is not asked again and again, and its
/// callers need not wait to hear what they know.
///
/// Closed, it lets calls pass and watches their ends. Too many failures, or too many slow calls, open it: calls fail
/// with UNAVAILABLE, the breaker's name and the time that is left. Then it is half open: a few probes pass, and close
/// it, or open it for longer.
///
/// Behind a balancer it has a breaker for each endpoint (and for each method of it). What it refuses goes to another
/// endpoint at once while there is one that this call has not met. In front of the balancers it watches the service as
/// a whole.
public struct CircuitBreaker: ClientInterceptor {
    /// What shares a breaker.
    public enum Scope: Sendable, Hashable {
        /// All calls to an endpoint.
        case endpoint
        /// The calls of one method to an endpoint.
        case endpointAndMethod
    }

    let name: String
    let scope: Scope
    let rules: BreakerRules
    let clock: any MonotonicClock
    private let owner = EndpointAttachment.Owner()
    private let service: MethodBreakers
    private let told = ToldBreakers()

    /// A breaker.
    ///
    /// - Parameters:
    ///   - name: what errors and events call it.
    ///   - clock: the clock of the channel.
    public init(
        _ name: String = "calls", for scope: Scope = .endpointAndMethod, rules: BreakerRules = BreakerRules(),
        clock: any MonotonicClock = SystemClock()
    ) {
        self.name = name
        self.scope = scope
        self.rules = rules
        self.clock = clock
        service = MethodBreakers(rules)
    }

    /// Sends the call if its breaker lets it pass.
    ///
    /// - Throws: UNAVAILABLE when it does not; the call's error.
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        let breaker = breaker(for: call)
        let witness = call.observer.map { Witness(observer: $0, name: name, of: call, breaker, next, told) }
        let admission = breaker.admit(clock) { witness?.tell($0, $1) }
        guard case .passes(let generation) = admission else { throw refusal(of: call, breaker, admission) }
        let started = rules.slowRate == nil ? nil : clock.now
        do {
            let response = try await next(call)
            let slow = isSlow(since: started)
            guard case .stream(let source) = response.body else {
                breaker.ended(.success, slow: slow, generation: generation, clock) { witness?.tell($0, $1) }
                return response
            }
            if breaker.answered(generation: generation, clock, changed: { witness?.tell($0, $1) }) { return response }
            source.onEnd { [rules, clock] error in
                let verdict = Verdict(error, faults: rules.faults)
                breaker.ended(verdict, slow: slow, generation: generation, clock) { witness?.tell($0, $1) }
            }
            return response
        } catch {
            let verdict = Verdict(RPCError(wrapping: error), faults: rules.faults)
            let slow = isSlow(since: started)
            breaker.ended(verdict, slow: slow, generation: generation, clock) { witness?.tell($0, $1) }
            throw error
        }
    }

    private func breaker(for call: borrowing ClientCall) -> Breaker {
        let method = scope == .endpointAndMethod ? call.method : nil
        guard let endpoint = call.endpoint else { return service.breaker(of: method) }
        return endpoint.attachment(of: owner) { MethodBreakers(rules) }.breaker(of: method)
    }

    private func isSlow(since started: MonotonicInstant?) -> Bool {
        guard let started else { return false }
        return started.duration(to: clock.now) >= rules.slowAfter
    }

    private func refusal(
        of call: borrowing ClientCall, _ breaker: Breaker, _ admission: BreakerCourse.Admission
    ) -> RPCError {
        var text = "circuit breaker '\(name)' is open"
        if let method = breaker.method { text += " for \(method.path)" }
        if case .fails(let left) = admission, left > .zero {
            text += ": the next call may pass in \(left.inSeconds) s"
        } else {
            text += ": probes are under way"
        }
        // Nothing left: tried again at once, elsewhere. When nobody else is there, a retry has to wait as always.
        return RPCError(.unavailable, text, progress: hasAlternative(call) ? .notSent : .notConnected)
    }

    private func hasAlternative(_ call: borrowing ClientCall) -> Bool {
        guard let endpoint = call.endpoint, let candidates = call.candidates else { return false }
        return call.avoided.count + 1 < candidates.handles.count && !call.avoided.contains(endpoint)
    }
}

/// Tells a call's observer what becomes of its breaker.
private struct Witness: Sendable {
    private let observer: any Observer
    private let name: String
    private let target: String
    private let handle: EndpointHandle?
    private let breaker: Breaker
    private let next: ClientNext
    private let told: ToldBreakers

    init(
        observer: any Observer, name: String, of call: borrowing ClientCall, _ breaker: Breaker, _ next: ClientNext,
        _ told: ToldBreakers
    ) {
        self.observer = observer
        self.name = name
        target = call.target
        handle = call.endpoint
        self.breaker = breaker
        self.next = next
        self.told = told
    }

    func tell(_ old: BreakerState?, _ new: BreakerState) {
        guard !next.isClosed else {
            // Calls that a closing channel ends say nothing of the endpoint.
            _ = breaker.leave(forGood: false)
            return
        }
        let (method, endpoint) = (breaker.method, handle?.endpoint)
        observer.policyEvent(
            .breaker(name: name, endpoint: endpoint, method: method, from: old, to: new), of: target)
        guard old == nil else { return }
        told.add(breaker, of: next) { [observer, name, target] last in
            observer.policyEvent(
                .breaker(name: name, endpoint: endpoint, method: method, from: last, to: nil), of: target)
        }
        // Nobody is kept away from an endpoint that has left, nor from who comes to its address.
        handle?.onRetire { [weak told, weak breaker] in
            guard let breaker else { return }
            told?.left(breaker)
        }
    }
}

extension CircuitBreaker: EndingPolicy {
    package func end() { told.end() }
}

extension CircuitBreaker: DescribedPolicy {
    /// What opens it, and for how long.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("name", name),
            PolicyValue("for", scope == .endpoint ? "each endpoint" : "each method of each endpoint"),
            PolicyValue("failureRate", rules.failureRate),
            PolicyValue("consecutiveFailures", rules.consecutiveFailures), PolicyValue("slowRate", rules.slowRate),
            PolicyValue("slowAfter", rules.slowAfter), PolicyValue("window", rules.window),
            PolicyValue("minimumCalls", rules.minimumCalls), PolicyValue("openFor", rules.openFor),
            PolicyValue("longestOpen", rules.longestOpen), PolicyValue("probes", rules.probes),
            PolicyValue("faults", rules.faults),
        ]
    }
}
