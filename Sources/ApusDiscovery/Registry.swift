// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Who serves what, and where: a hash table from service name to the service's instances.
///
/// Servers register themselves when they are ready to serve and leave before they stop; clients watch the names that
/// they call.
public protocol Registry: Sendable {
    /// Adds an instance. It stays until its registration is left, the registry is closed, or its process is gone.
    ///
    /// - Throws: INVALID_ARGUMENT for an instance that the registry cannot hold; ALREADY_EXISTS when this registry
    ///   object has registered the same service and id; UNAVAILABLE when the registry cannot be written.
    func register(_ instance: ServiceInstance) async throws(RPCError) -> Registration

    /// Follows the instances of a service: the first list comes at once, later ones when something changes.
    ///
    /// Updates of a watch come one after the other, on a thread of the registry; an older list never follows a newer
    /// one. A failure says that the registry cannot be read now: the last list is then the best that is known.
    ///
    /// - Returns: the watch. No update begins after it was cancelled or released.
    func watch(
        _ service: String, onUpdate: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void
    ) -> RegistryWatch
}

/// One process, or part of one, that serves a service.
public struct ServiceInstance: Sendable, Hashable {
    /// The name that clients look up.
    public var service: String
    /// What tells the instance from all others of its service, also from those of the past.
    public var id: String
    /// Where it listens, and what it tells about itself.
    public var endpoint: Endpoint

    /// Its endpoint, as those who watch get it.
    package var place: Endpoint {
        var place = endpoint
        place.instance = id
        return place
    }

    /// An instance.
    public init(service: String, id: String, endpoint: Endpoint) {
        self.service = service
        self.id = id
        self.endpoint = endpoint
    }
}
