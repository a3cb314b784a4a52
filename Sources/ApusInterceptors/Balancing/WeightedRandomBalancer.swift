// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Sends each call to one of its candidates, with a probability in proportion to the endpoints' weights, independently
/// of all other calls.
///
/// A weight that is no positive finite number counts as zero: that endpoint gets calls only while no other can be
/// reached. When no endpoint has a weight, all have the same. What ``RandomBalancer`` leaves out is left out here, too.
public struct WeightedRandomBalancer: RoutingInterceptor {
    private let pick: WeightedPick
    private let owner = EndpointAttachment.Owner()

    /// A balancer.
    ///
    /// - Parameter warmUp: how endpoints that are new get their share; nil gives it to them at once.
    public init(warmUp: WarmUp? = nil, random: any RandomSource = SplitMixRandom.shared) {
        pick = WeightedPick(warmUp: warmUp, random: random)
    }

    /// Chooses an endpoint.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let candidates = try call.knownCandidates("WeightedRandomBalancer")
        let table = candidates.attachment(of: owner) {
            AliasTable(weights: EndpointWeights.relative(candidates.handles))
        }
        return try await next.send(call, to: pick.pick(from: candidates.handles, table, avoiding: call.avoided))
    }
}

/// Decides where a call goes.
struct WeightedPick: Sendable {
    // Draws that meet only endpoints that are bad or not warm yet.
    private static let mostDraws = 32

    let warmUp: WarmUp?
    let random: any RandomSource

    /// A handle by its weight, or one of the best class. There must be one.
    func pick(
        from handles: [EndpointHandle], _ table: AliasTable, avoiding avoided: [EndpointHandle]
    ) -> EndpointHandle {
        let now = warmUp?.clock.now
        var cold: EndpointHandle?
        // Drawing again keeps the proportions among those that may be picked.
        for _ in 0..<Self.mostDraws {
            let handle = handles[table.index(random)]
            guard EndpointPreference.isFresh(handle, avoiding: avoided) else { continue }
            guard let warmUp, let now, !warmUp.admits(handle, at: now, random) else { return handle }
            cold = cold ?? handle
        }
        if let cold { return cold }
        // Those that are drawn nearly always may be the bad ones.
        let weights = EndpointWeights.relative(handles)
        return EndpointPreference.draw(from: handles, weights: weights, avoiding: avoided, random) ?? handles[0]
    }
}

extension WeightedRandomBalancer: DescribedPolicy {
    /// How new endpoints warm up.
    public var policyValues: [PolicyValue] { [PolicyValue("warmUp", pick.warmUp)] }
}
