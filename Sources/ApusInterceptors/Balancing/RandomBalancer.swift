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
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        let handles = try call.knownCandidates("RandomBalancer").handles
        let handle = RandomPick.pick(from: handles, avoiding: call.avoided, random)
        return try await next.send(call, to: handle)
    }
}

/// Decides where a call goes.
enum RandomPick {
    /// One handle of the best class, each with the same probability. There must be one.
    static func pick(
        from handles: [EndpointHandle], avoiding avoided: [EndpointHandle], _ random: any RandomSource
    ) -> EndpointHandle {
        // Nearly always the first draw is a good one. If not, drawing again among the good ones alone keeps all of
        // them equally likely: 1/n + (n - m)/n · 1/m = 1/m for each of m good ones among n.
        let first = handles[random.index(below: handles.count)]
        if EndpointPreference.isFresh(first, avoiding: avoided) { return first }
        return EndpointPreference.draw(from: handles, avoiding: avoided, random) ?? first
    }
}
