// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Sends each call to one of its candidates, each with the same probability, independently of all other calls.
///
/// Endpoints whose last connection attempt failed, or that a policy ejected, are left out while others are there. A retry goes to an endpoint
/// at which this call has not failed yet, when there is one.
public struct RandomBalancer: RoutingInterceptor {
    let random: any RandomSource

    /// A balancer that draws from `random`.
    public init(random: any RandomSource = SplitMixRandom.shared) { self.random = random }

    /// Chooses an endpoint.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard let candidates = call.candidates else {
            throw Self.unknown(call.target, "put Discovery in front of RandomBalancer")
        }
        guard let handle = RandomPick.pick(from: candidates.handles, avoiding: call.avoided, random) else {
            throw Self.unknown(call.target, "its list of instances is empty")
        }
        return try await next.send(call, to: handle)
    }

    private static func unknown(_ target: String, _ what: String) -> RPCError {
        RPCError(.unavailable, "no endpoint of '\(target)' is known: \(what)", progress: .notConnected)
    }
}

/// Decides where a call goes.
enum RandomPick {
    /// How well an endpoint suits a try: the best class that has members is drawn from.
    private enum Preference: Int, CaseIterable {
        case fresh, failedThisCall, ejected, unreachable, gone
    }

    /// One handle of the best class, each with the same probability; nil when there are none.
    static func pick(
        from handles: [EndpointHandle], avoiding avoided: [EndpointHandle], _ random: any RandomSource
    ) -> EndpointHandle? {
        guard !handles.isEmpty else { return nil }
        // Nearly always the first draw is a good one. If not, drawing again among the good ones alone keeps all of
        // them equally likely: 1/n + (n - m)/n · 1/m = 1/m for each of m good ones among n.
        let first = handles[random.index(below: handles.count)]
        if preference(first, avoided) == .fresh { return first }
        return drawn(from: handles, avoided, random)
    }

    // States change meanwhile, so each handle is looked at once: reservoir sampling, one reservoir for each class.
    private static func drawn(
        from handles: [EndpointHandle], _ avoided: [EndpointHandle], _ random: any RandomSource
    ) -> EndpointHandle? {
        var seen = [Int](repeating: 0, count: Preference.allCases.count)
        var chosen = [EndpointHandle?](repeating: nil, count: Preference.allCases.count)
        for handle in handles {
            let index = preference(handle, avoided).rawValue
            seen[index] += 1
            if random.index(below: seen[index]) == 0 { chosen[index] = handle }
        }
        return chosen.lazy.compactMap { $0 }.first
    }

    private static func preference(_ handle: EndpointHandle, _ avoided: [EndpointHandle]) -> Preference {
        switch handle.connectivity {
        case .shutdown: .gone
        case .transientFailure: .unreachable
        case .idle, .connecting, .ready:
            if handle.isEjected { .ejected } else { avoided.contains(handle) ? .failedThisCall : .fresh }
        }
    }
}
