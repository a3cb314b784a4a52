// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// A registry inside one process: for tests, and for services that live together.
public final class InMemoryRegistry: Registry {
    private struct State {
        var instances: [String: [ServiceInstance]] = [:]
        var feeds: [String: [UInt64: RegistryFeed]] = [:]
        var version: UInt64 = 0

        func update(of service: String) -> (endpoints: [Endpoint], version: UInt64) {
            (instances[service, default: []].map(\.place), version)
        }
    }

    private let state = Mutex(State())

    /// An empty registry.
    public init() {}

    /// Adds an instance.
    ///
    /// - Throws: INVALID_ARGUMENT for an empty service or id; ALREADY_EXISTS for an id that the service has.
    public func register(_ instance: ServiceInstance) async throws(RPCError) -> Registration {
        guard !instance.service.isEmpty, !instance.id.isEmpty else {
            throw RPCError(.invalidArgument, "an instance needs the name of its service and an id")
        }
        let added = change(instance.service) { instances in
            guard !instances.contains(where: { $0.id == instance.id }) else { return false }
            instances.append(instance)
            return true
        }
        guard added else {
            throw RPCError(.alreadyExists, "'\(instance.service)' has an instance '\(instance.id)' already")
        }
        return Registration { [weak self] in self?.leave(instance) }
    }

    /// Follows the instances of a service.
    public func watch(
        _ service: String, onUpdate: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void
    ) -> RegistryWatch {
        let feed = RegistryFeed(onUpdate)
        let (id, update) = state.withLock { state in
            state.version += 1
            state.feeds[service, default: [:]][state.version] = feed
            return (state.version, state.update(of: service))
        }
        feed.publish(.success(update.endpoints), version: update.version)
        return RegistryWatch { [weak self] in
            feed.cancel()
            self?.forget(id, service)
        }
    }

    private func leave(_ instance: ServiceInstance) {
        _ = change(instance.service) { instances in
            instances.removeAll { $0.id == instance.id }
            return true
        }
    }

    private func forget(_ id: UInt64, _ service: String) {
        state.withLock { state in
            state.feeds[service]?[id] = nil
            if state.feeds[service]?.isEmpty == true { state.feeds[service] = nil }
        }
    }

    // Changes the list; publishes it outside the lock if the body says so.
    private func change(_ service: String, _ body: (inout [ServiceInstance]) -> Bool) -> Bool {
        let published = state.withLock { state -> (feeds: [RegistryFeed], endpoints: [Endpoint], version: UInt64)? in
            guard body(&state.instances[service, default: []]) else { return nil }
            if state.instances[service]?.isEmpty == true { state.instances[service] = nil }
            state.version += 1
            let update = state.update(of: service)
            return (Array(state.feeds[service, default: [:]].values), update.endpoints, update.version)
        }
        guard let published else { return false }
        for feed in published.feeds { feed.publish(.success(published.endpoints), version: published.version) }
        return true
    }
}
