// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Sends calls to the candidates by turns, in proportion to weights that follow from what the servers report of their
/// load: calls a second / (utilization + errors a second / calls a second × penalty).
///
/// Endpoints that report nothing have the mean weight of the others; while fewer than two report, it is a
/// ``RoundRobin``. What ``RandomBalancer`` leaves out is left out here, too.
///
/// ```swift
/// WeightedRoundRobin(reports: .perCall)                       // with the ends of calls
/// WeightedRoundRobin(reports: .outOfBand(every: .seconds(5))) // by a stream to each endpoint
/// ```
///
/// Source: gRFC A58, with the reports of gRFC A51.
public struct WeightedRoundRobin: RoutingInterceptor {
    let loads: EndpointLoads
    private let random: any RandomSource
    private let clock: any MonotonicClock
    private let owner = EndpointAttachment.Owner()
    // Not with the loads, which the tables of a list keep.
    private let watches = EndpointWatches()

    /// A balancer.
    ///
    /// - Parameters:
    ///   - reports: where reports come from.
    ///   - random: where the turns begin.
    ///   - clock: the clock of the channel.
    public init(
        reports: any LoadReportSource, rules: LoadWeightRules = LoadWeightRules(),
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        loads = EndpointLoads(reports, rules, random, clock)
        self.random = random
        self.clock = clock
    }

    /// Chooses an endpoint, and notes what its server reports.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let candidates = try call.knownCandidates("WeightedRoundRobin")
        let turns = candidates.attachment(of: owner) { WeightedTurns(candidates.handles, loads, random) }
        let handle = turns.pick(avoiding: call.avoided, at: clock.now)
        guard !call.onlyConnects else { return try await next.send(call, to: handle) }
        loads.followIfDue(handle, of: call.target, through: next, in: watches)
        do {
            let response = try await next.send(call, to: handle)
            loads.note(response, of: handle)
            return response
        } catch {
            loads.note(RPCError(wrapping: error).metadata, of: handle)
            throw error
        }
    }
}

extension WeightedRoundRobin: EndingPolicy {
    package func end() { watches.end() }
}

/// The turns of one list of endpoints.
final class WeightedTurns: Sendable {
    // Turns that pass, because of a low weight or a bad endpoint, before all endpoints are looked at once.
    private static let longestSearch = 256

    private let handles: [EndpointHandle]
    private let weights: [EndpointLoad]
    private let loads: EndpointLoads
    private let random: any RandomSource
    private let sequence: Atomic<UInt64>
    private let refreshesAt = Atomic<Int64>(.min)

    init(_ handles: [EndpointHandle], _ loads: EndpointLoads, _ random: any RandomSource) {
        self.handles = handles
        self.loads = loads
        self.random = random
        weights = handles.map { loads.load(of: $0) }
        // Far from the last number: turns do not wrap around.
        sequence = Atomic(UInt64(random.index(below: handles.count << 16)))
    }

    /// The handle whose turn it is, or one of the best class.
    func pick(avoiding avoided: [EndpointHandle], at now: MonotonicInstant) -> EndpointHandle {
        refreshIfDue(now)
        for _ in 0..<Self.longestSearch {
            let turn = sequence.wrappingAdd(1, ordering: .relaxed).oldValue
            let index = Int(turn % UInt64(handles.count))
            guard StrideSchedule.isTaken(turn, of: handles.count, weight: weights[index].scaled) else { continue }
            if EndpointPreference.isFresh(handles[index], avoiding: avoided) { return handles[index] }
        }
        return EndpointPreference.draw(from: handles, avoiding: avoided, random) ?? handles[0]
    }

    // One of the calls that come when it is time does it.
    private func refreshIfDue(_ now: MonotonicInstant) {
        let due = refreshesAt.load(ordering: .relaxed)
        guard now.nanoseconds >= due else { return }
        let next = now.advanced(by: max(.milliseconds(100), loads.rules.update)).nanoseconds
        guard refreshesAt.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged else { return }
        let present = zip(handles, weights).map { handle, load in
            load.weight(at: now, loads.rules, isConnected: handle.connectivity != .transientFailure)
        }
        for (load, scaled) in zip(weights, StrideSchedule.scaled(present)) { load.scaled = scaled }
    }
}

extension WeightedRoundRobin: DescribedPolicy {
    /// Where reports come from, and how they become weights.
    public var policyValues: [PolicyValue] {
        let rules = loads.rules
        return [
            PolicyValue("reports", loads.source), PolicyValue("blackout", rules.blackout),
            PolicyValue("expiration", rules.expiration), PolicyValue("update", rules.update),
            PolicyValue("errorPenalty", rules.errorPenalty),
        ]
    }
}
