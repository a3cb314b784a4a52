// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Sends calls to the candidates one after the other, from a random one on, so that clients that start together do not
/// march together. All tasks of a channel share one turn.
///
/// What ``RandomBalancer`` leaves out is left out here, too: its turn passes to the next, and the others go on in turn.
/// Source: gRPC, *Load Balancing Policies*, round_robin.
public struct RoundRobin: RoutingInterceptor {
    private let turn: RoundRobinTurn

    /// A balancer that begins where `random` says.
    public init(random: any RandomSource = SplitMixRandom.shared) { turn = RoundRobinTurn(random) }

    /// Chooses an endpoint.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let handles = try call.knownCandidates("RoundRobin").handles
        return try await next.send(call, to: turn.pick(from: handles, avoiding: call.avoided))
    }
}

/// Whose turn it is.
final class RoundRobinTurn: Sendable {
    // Turns that pass to the next before all endpoints are looked at once.
    private static let longestSearch = 64

    private let random: any RandomSource
    private let last: Atomic<UInt64>

    init(_ random: any RandomSource) {
        self.random = random
        last = Atomic(random.next() >> 1)
    }

    /// The next handle that nothing speaks against, or one of the best class. There must be one.
    func pick(from handles: [EndpointHandle], avoiding avoided: [EndpointHandle]) -> EndpointHandle {
        var handle = turn(of: handles)
        // Taking another turn, rather than the neighbour: or the one behind a dead endpoint would serve for two.
        for _ in 0..<min(handles.count, Self.longestSearch) {
            if EndpointPreference.isFresh(handle, avoiding: avoided) { return handle }
            handle = turn(of: handles)
        }
        return EndpointPreference.draw(from: handles, avoiding: avoided, random) ?? handle
    }

    private func turn(of handles: [EndpointHandle]) -> EndpointHandle {
        handles[Int(last.wrappingAdd(1, ordering: .relaxed).oldValue % UInt64(handles.count))]
    }
}
