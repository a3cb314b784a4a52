// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The endpoints of a service at one moment: what discovery gives to a balancer. Immutable.
public struct Candidates: Sendable {
    /// Differs for any two snapshots of a process, so that a balancer can keep tables by version.
    public let version: UInt64
    /// The endpoints, in the registry's order; no address occurs twice.
    public let handles: [EndpointHandle]

    private static let versions = Atomic<UInt64>(0)

    /// A snapshot of these handles, with a version of its own.
    public init(handles: [EndpointHandle]) {
        version = Self.versions.wrappingAdd(1, ordering: .relaxed).newValue
        self.handles = handles
    }

    /// A snapshot of endpoints nobody knew before.
    public init(_ endpoints: [Endpoint] = []) {
        self = Candidates(handles: []).updated(to: endpoints).candidates
    }

    /// The snapshot for a new list: unchanged endpoints keep their handles, new ones get some.
    ///
    /// - Returns: the snapshot, and the handles that are no longer in it. The caller publishes the first, then
    ///   retires the second.
    public func updated(to endpoints: [Endpoint]) -> (candidates: Candidates, removed: [EndpointHandle]) {
        var known: [Endpoint.Address: EndpointHandle] = [:]
        for handle in handles { known[handle.endpoint.address] = handle }
        var seen: Set<Endpoint.Address> = []
        var next: [EndpointHandle] = []
        for endpoint in endpoints where seen.insert(endpoint.address).inserted {
            if let old = known[endpoint.address], old.endpoint == endpoint {
                known[endpoint.address] = nil
                next.append(old)
            } else {
                next.append(EndpointHandle(endpoint))
            }
        }
        return (Candidates(handles: next), handles.filter { known[$0.endpoint.address] === $0 })
    }
}
