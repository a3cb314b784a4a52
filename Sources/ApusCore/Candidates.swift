// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The endpoints of a service at one moment: what discovery gives to a balancer. Immutable.
public struct Candidates: Sendable {
    /// Differs for any two snapshots of a process, so that a balancer can keep tables by version.
    @inlinable public var version: UInt64 { snapshot.version }
    /// The endpoints, in the registry's order; no address occurs twice.
    @inlinable public var handles: [EndpointHandle] { snapshot.handles }

    // One reference: calls carry it, and are copied often.
    @usableFromInline let snapshot: Snapshot

    private static let versions = Atomic<UInt64>(0)

    /// What all copies of a snapshot share: balancers keep their tables with it.
    @usableFromInline
    final class Snapshot: Sendable {
        @usableFromInline let version: UInt64
        @usableFromInline let handles: [EndpointHandle]
        @usableFromInline let attachments = EndpointAttachments()

        init(version: UInt64, handles: [EndpointHandle]) {
            self.version = version
            self.handles = handles
        }
    }

    /// A snapshot of these handles, with a version of its own.
    public init(handles: [EndpointHandle]) {
        let version = Self.versions.wrappingAdd(1, ordering: .relaxed).newValue
        snapshot = Snapshot(version: version, handles: handles)
    }

    /// A snapshot of endpoints nobody knew before.
    public init(_ endpoints: [Endpoint] = []) {
        self = Candidates(handles: []).updated(to: endpoints).candidates
    }

    /// The snapshot for a new list: instances that stay keep their handles, new ones get some.
    ///
    /// Where a list has two instances at one address, one of them is gone and its entry has not expired yet: that is the
    /// one that was known before.
    ///
    /// A handle that is kept has the new list's weight and metadata from now on. Balancers see it with the new snapshot,
    /// for which they make their tables anew.
    ///
    /// - Returns: the snapshot, and the handles that are no longer in it. The caller publishes the first, then
    ///   retires the second.
    public func updated(to endpoints: [Endpoint]) -> (candidates: Candidates, removed: [EndpointHandle]) {
        var known: [Endpoint.Address: EndpointHandle] = [:]
        for handle in handles { known[handle.address] = handle }
        var places: [Endpoint.Address: Int] = [:]
        var listed: [ListedPlace] = []
        for endpoint in endpoints {
            if let place = places[endpoint.address] {
                listed[place].add(endpoint)
            } else {
                places[endpoint.address] = listed.count
                listed.append(ListedPlace(endpoint))
            }
        }
        var next: [EndpointHandle] = []
        for place in listed {
            let old = known[place.first.address]
            let handle = place.handle(after: old)
            if handle === old { known[handle.address] = nil }
            next.append(handle)
        }
        return (Candidates(handles: next), handles.filter { known[$0.address] === $0 })
    }
}
