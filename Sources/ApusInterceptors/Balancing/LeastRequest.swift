// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Draws two candidates for each call, or as many as it is told, and sends it to the one with fewer calls in flight for
/// its weight.
///
/// What it compares is (``EndpointHandle/callsInFlight`` + 1) / weight, where a weight that is no positive number
/// counts as 1. What ``RandomBalancer`` leaves out is left out here, too. Source: gRFC A48, and Envoy's least request.
public struct LeastRequest: RoutingInterceptor {
    private let choice: PowerOfChoices

    /// A balancer.
    ///
    /// - Parameters:
    ///   - choices: endpoints that are compared; held in `2...32`.
    ///   - warmUp: how endpoints that are new get their share; nil gives it to them at once.
    public init(
        choices: Int = 2, warmUp: WarmUp? = nil, random: any RandomSource = SplitMixRandom.shared
    ) {
        choice = PowerOfChoices(choices: choices, warmUp: warmUp, random: random)
    }

    /// Chooses an endpoint.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let handles = try call.knownCandidates("LeastRequest").handles
        let handle = choice.pick(from: handles, avoiding: call.avoided, cost: Self.load)
        return try await next.send(call, to: handle)
    }

    static func load(of handle: EndpointHandle) -> Double {
        let calls = Double(max(0, handle.callsInFlight)) + 1
        let weight = handle.weight
        return EndpointWeights.isUsable(weight) ? calls / weight : calls
    }
}

extension LeastRequest: DescribedPolicy {
    /// How many endpoints are compared, and how new ones warm up.
    public var policyValues: [PolicyValue] {
        [PolicyValue("choices", choice.choices), PolicyValue("warmUp", choice.warmUp)]
    }
}
