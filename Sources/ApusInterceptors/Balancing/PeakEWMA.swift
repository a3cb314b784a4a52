// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Draws two candidates for each call and sends it to the one that is expected to answer it sooner: by what its last
/// answers took, times the calls that it has in flight.
///
/// One slow answer counts at once, and is forgotten slowly. A failure that speaks against the server counts as an answer
/// that took `failure`: who fails fast would draw all calls otherwise. For a streamed response the time until its head
/// counts. What ``RandomBalancer`` leaves out is left out here, too. Source: Finagle, *Peak EWMA*.
public struct PeakEWMA: RoutingInterceptor {
    private let choice: PowerOfChoices
    let latencies: PeakLatencies
    private let clock: any MonotonicClock

    /// A balancer.
    ///
    /// - Parameters:
    ///   - decay: after this time what an answer told counts by 1/e.
    ///   - failure: what a failure counts for, at least.
    ///   - faults: the codes of failures that speak against a server.
    ///   - clock: the clock of the channel.
    public init(
        decay: Duration = .seconds(10), failure: Duration = .seconds(1), faults: Set<Status.Code> = .serverFaults,
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        choice = PowerOfChoices(random: random)
        latencies = PeakLatencies(decay: decay, failure: failure, faults: faults)
        self.clock = clock
    }

    /// Chooses an endpoint and measures it.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let handles = try call.knownCandidates("PeakEWMA").handles
        let start = clock.now
        let handle = choice.pick(from: handles, avoiding: call.avoided) { latencies.cost(of: $0, at: start) }
        guard !call.onlyConnects else { return try await next.send(call, to: handle) }
        do {
            let response = try await next.send(call, to: handle)
            latencies.answered(handle, from: start, to: clock.now)
            return response
        } catch {
            latencies.failed(handle, RPCError(wrapping: error), from: start, to: clock.now)
            throw error
        }
    }
}

/// What a channel believes of its endpoints' latencies.
struct PeakLatencies: Sendable {
    // Costs more than any latency: nothing is known of the endpoint, and one call asks it already.
    private static let unknown = 0x1p62

    let decay: Duration
    let failure: Duration
    let faults: Set<Status.Code>
    private let owner = EndpointAttachment.Owner()

    init(decay: Duration, failure: Duration, faults: Set<Status.Code>) {
        self.decay = decay
        self.failure = failure
        self.faults = faults
    }

    /// What one more call costs there.
    func cost(of handle: EndpointHandle, at now: MonotonicInstant) -> Double {
        let calls = Double(max(0, handle.callsInFlight))
        let cost = latency(of: handle).cost(at: now, decay: decay)
        return cost == 0 && calls > 0 ? Self.unknown + calls * 0x1p20 : cost * (calls + 1)
    }

    func answered(_ handle: EndpointHandle, from start: MonotonicInstant, to end: MonotonicInstant) {
        latency(of: handle).note(start.duration(to: end), at: end, decay: decay)
    }

    func failed(_ handle: EndpointHandle, _ error: RPCError, from start: MonotonicInstant, to end: MonotonicInstant) {
        switch Verdict(error, faults: faults) {
        case .success: answered(handle, from: start, to: end)
        case .failure: latency(of: handle).note(max(failure, start.duration(to: end)), at: end, decay: decay)
        case .none: break
        }
    }

    private func latency(of handle: EndpointHandle) -> PeakLatency { handle.attachment(of: owner) { PeakLatency() } }
}

/// One endpoint's latency: noted under a lock of its own, read without one.
private final class PeakLatency: Sendable {
    private let estimate = Mutex(LatencyEstimate())
    // Two halves of one thing: who reads between them is wrong by one answer.
    private let cost = Atomic<UInt64>(0)
    private let moment = Atomic<Int64>(0)

    func note(_ latency: Duration, at now: MonotonicInstant, decay: Duration) {
        estimate.withLock { estimate in
            estimate.note(latency, at: now, decay: decay)
            cost.store(estimate.cost.bitPattern, ordering: .relaxed)
            moment.store(estimate.moment.nanoseconds, ordering: .relaxed)
        }
    }

    func cost(at now: MonotonicInstant, decay: Duration) -> Double {
        let cost = Double(bitPattern: cost.load(ordering: .relaxed))
        guard cost > 0 else { return 0 }
        let moment = MonotonicInstant(nanoseconds: moment.load(ordering: .relaxed))
        return LatencyEstimate(cost: cost, moment: moment).cost(at: now, decay: decay)
    }
}

extension PeakEWMA: DescribedPolicy {
    /// How soon answers are forgotten, and what a failure counts for.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("decay", latencies.decay), PolicyValue("failure", latencies.failure),
            PolicyValue("faults", latencies.faults),
        ]
    }
}
