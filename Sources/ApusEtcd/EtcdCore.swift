// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import Synchronization

/// What a registry in etcd has going: the instances that it keeps, and the services that it follows.
final class EtcdCore: Sendable {
    private struct State {
        var keepers: [ObjectIdentifier: LeaseKeeper] = [:]
        var watches: [String: ServiceWatch] = [:]
        var isClosed = false
    }

    private let client: EtcdClient
    private let state = Mutex(State())

    init(_ client: EtcdClient) { self.client = client }

    private static var closed: RPCError {
        RPCError(.failedPrecondition, "the registry is closed", progress: .notSent)
    }

    func register(_ instance: ServiceInstance) async throws(RPCError) -> LeaseKeeper {
        let keeper = try LeaseKeeper(instance, client)
        guard !state.withLock({ $0.isClosed }) else { throw Self.closed }
        try await keeper.begin()
        let isKept = state.withLock { state in
            if !state.isClosed { state.keepers[ObjectIdentifier(keeper)] = keeper }
            return !state.isClosed
        }
        guard isKept else {
            await keeper.stop()
            throw Self.closed
        }
        return keeper
    }

    func leave(_ keeper: LeaseKeeper) async {
        let isKept = state.withLock { $0.keepers.removeValue(forKey: ObjectIdentifier(keeper)) != nil }
        // Otherwise it left when the registry was closed.
        if isKept { await keeper.leave() }
    }

    func watch(_ service: String, _ feed: RegistryFeed) {
        let watch = state.withLock { state -> ServiceWatch? in
            guard !state.isClosed else { return nil }
            let watch = state.watches[service] ?? ServiceWatch(service, client)
            state.watches[service] = watch
            watch.add(feed)
            return watch
        }
        guard let watch else { return feed.publish(.failure(Self.closed), version: .max) }
        watch.greet(feed)
    }

    func unwatch(_ service: String, _ feed: RegistryFeed) {
        let unused = state.withLock { state -> ServiceWatch? in
            guard let watch = state.watches[service], watch.remove(feed) else { return nil }
            state.watches[service] = nil
            return watch
        }
        unused?.end()
    }

    func close() async {
        let (keepers, watches) = state.withLock { state in
            state.isClosed = true
            defer { (state.keepers, state.watches) = ([:], [:]) }
            return (Array(state.keepers.values), Array(state.watches.values))
        }
        for watch in watches { watch.end() }
        await withTaskGroup { group in
            for keeper in keepers { group.addTask { await keeper.leave() } }
        }
        client.channel.close()
    }
}
