// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Lets a client of a service with very many instances use some of them alone: so many connections for each client, and
/// not one to each instance for each client.
///
/// Stands between ``Discovery`` and the balancer. Each client has its own choice, the same as long as it keeps its name;
/// an instance that comes or goes changes the choice of few clients, and of those by one. Over many clients instances
/// are chosen about equally often. Weights play no part. Source: Thaler and Ravishankar, *Using Name-Based Mappings to
/// Increase Hit Rates* (rendezvous hashing).
public struct Subset: RoutingInterceptor {
    private let size: Int
    private let client: String
    private let owner = EndpointAttachment.Owner()

    /// A choice of instances.
    ///
    /// - Parameters:
    ///   - size: how many; at least 1. A service with no more than that is used whole.
    ///   - client: the client's name: a host's and a process' name, say; unless told, a random one for each run.
    public init(size: Int, client: String = String(SplitMixRandom.shared.next(), radix: 16)) {
        self.size = max(1, size)
        self.client = client
    }

    /// Narrows the candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard let candidates = call.candidates, candidates.handles.count > size else { return try await next(call) }
        var call = call
        call.candidates =
            candidates.attachment(of: owner) {
                NarrowedCandidates(Self.chosen(from: candidates.handles, size: size, client: client))
            }.candidates
        return try await next(call)
    }

    /// The endpoints with the highest hashes of their address and the client's name, in their old order.
    static func chosen(from handles: [EndpointHandle], size: Int, client: String) -> [EndpointHandle] {
        let ranked = handles.enumerated().map { index, handle in
            (hash: XXHash64.hash("\(client)/\(handle.address)"), index: index)
        }
        let best = ranked.sorted { ($0.hash, $0.index) > ($1.hash, $1.index) }.prefix(size)
        return best.map(\.index).sorted().map { handles[$0] }
    }
}

/// What is left of a snapshot: hangs on it, so that balancers find their tables for it again.
final class NarrowedCandidates: Sendable {
    let candidates: Candidates

    init(_ handles: [EndpointHandle]) { candidates = Candidates(handles: handles) }
}

extension Subset: DescribedPolicy {
    /// How many endpoints are used, and by whom they are chosen.
    public var policyValues: [PolicyValue] { [PolicyValue("size", size), PolicyValue("client", client)] }
}
