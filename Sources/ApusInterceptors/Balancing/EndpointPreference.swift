// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How well an endpoint suits a try: every balancer picks from the best class that has members.
enum EndpointPreference: Int, CaseIterable, Comparable {
    case fresh, failedThisCall, ejected, unreachable, gone

    /// The class of an endpoint for a call that failed already at those in `avoided`.
    init(_ handle: EndpointHandle, avoiding avoided: [EndpointHandle]) {
        self =
            switch handle.connectivity {
            case .shutdown: .gone
            case .transientFailure: .unreachable
            case .idle, .connecting, .ready:
                if handle.isEjected { .ejected } else { avoided.contains(handle) ? .failedThisCall : .fresh }
            }
    }

    static func < (left: EndpointPreference, right: EndpointPreference) -> Bool { left.rawValue < right.rawValue }

    /// Whether nothing speaks against the endpoint.
    static func isFresh(_ handle: EndpointHandle, avoiding avoided: [EndpointHandle]) -> Bool {
        EndpointPreference(handle, avoiding: avoided) == .fresh
    }

    /// One handle of the best class, each with the same probability; nil when there are none. Looks at all of them: for
    /// balancers that drew a bad one.
    static func draw(
        from handles: [EndpointHandle], avoiding avoided: [EndpointHandle], _ random: any RandomSource
    ) -> EndpointHandle? {
        // States change meanwhile, so each handle is looked at once: reservoir sampling, one reservoir for each class.
        var seen = [Int](repeating: 0, count: allCases.count)
        var chosen = [EndpointHandle?](repeating: nil, count: allCases.count)
        for handle in handles {
            let index = EndpointPreference(handle, avoiding: avoided).rawValue
            seen[index] += 1
            if random.index(below: seen[index]) == 0 { chosen[index] = handle }
        }
        return chosen.lazy.compactMap { $0 }.first
    }

    /// One handle of the best class, by weight, or evenly when none of them has one; nil when there are no handles. As
    /// slow as ``draw(from:avoiding:_:)``.
    static func draw(
        from handles: [EndpointHandle], weights: [Double], avoiding avoided: [EndpointHandle],
        _ random: any RandomSource
    ) -> EndpointHandle? {
        var (sums, empty) = ([Double](repeating: 0, count: allCases.count), [Int](repeating: 0, count: allCases.count))
        var weighty = [EndpointHandle?](repeating: nil, count: allCases.count)
        var weightless = weighty
        for (handle, weight) in zip(handles, weights) {
            let index = EndpointPreference(handle, avoiding: avoided).rawValue
            if weight > 0 {
                sums[index] += weight
                if random.unit() * sums[index] < weight { weighty[index] = handle }
            } else {
                empty[index] += 1
                if random.index(below: empty[index]) == 0 { weightless[index] = handle }
            }
        }
        return zip(weighty, weightless).lazy.compactMap { $0 ?? $1 }.first
    }

    /// The first handle of the best class in an order; nil when there are none.
    static func first(
        of handles: some Sequence<EndpointHandle>, avoiding avoided: [EndpointHandle]
    ) -> EndpointHandle? {
        var best: (handle: EndpointHandle, preference: EndpointPreference)?
        for handle in handles {
            let preference = EndpointPreference(handle, avoiding: avoided)
            if preference == .fresh { return handle }
            if best.map({ preference < $0.preference }) ?? true { best = (handle, preference) }
        }
        return best?.handle
    }
}

extension ClientCall {
    /// What a balancer picks from: at least one endpoint.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are none.
    func knownCandidates(_ balancer: String) throws(RPCError) -> Candidates {
        guard let candidates else { throw unknownEndpoint("put Discovery in front of \(balancer)") }
        guard !candidates.handles.isEmpty else { throw unknownEndpoint("its list of instances is empty") }
        return candidates
    }

    private func unknownEndpoint(_ what: String) -> RPCError {
        RPCError(.unavailable, "no endpoint of '\(target)' is known: \(what)", progress: .notConnected)
    }
}
