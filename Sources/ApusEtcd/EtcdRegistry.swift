// SPDX-License-Identifier: Apache-2.0

public import ApusCore
public import ApusDiscovery
import ApusTransport
import Synchronization

/// A registry for many machines, in etcd (API v3: etcd 3.4 and later).
///
/// An instance is a key under a lease of its own, which is renewed while its process lives; a lease that etcd has lost
/// is granted anew, and the key put again. Keys and values have the form of etcd's own `naming/endpoints`: instances
/// that programs in Go have registered are found, and the reverse.
///
/// ```swift
/// let registry = try EtcdRegistry([.host("10.0.0.1", port: 2379), .host("10.0.0.2", port: 2379)])
/// let users = UserService.Client(Channel("users", registry: registry))
/// ```
///
/// A watch lists a service's instances, then hears of changes, and goes on where it was when a connection breaks. While
/// no member of etcd can be reached the last list stays.
public final class EtcdRegistry: Registry {
    private let core: EtcdCore

    /// A registry in the etcd whose members listen at the addresses. Nothing is connected before it is used.
    ///
    /// - Parameters:
    ///   - members: any of the cluster's members; one that fails makes the next one asked.
    ///   - onProblem: is told in one line of each entry that is skipped and each heartbeat or watch that failed, on any
    ///     thread; nil tells nobody.
    /// - Throws: INVALID_ARGUMENT when there are no members.
    public convenience init(
        _ members: [Endpoint.Address], options: EtcdOptions = EtcdOptions(),
        onProblem: (@Sendable (String) -> Void)? = nil
    ) throws(RPCError) {
        guard !members.isEmpty else {
            throw RPCError(.invalidArgument, "a registry in etcd needs the address of a member", progress: .notSent)
        }
        self.init(
            members, options: options, transport: HTTP2Transport(options: TransportOptions(options)),
            onProblem: onProblem)
    }

    package init(
        _ members: [Endpoint.Address], options: EtcdOptions = EtcdOptions(), transport: any ClientTransport,
        clock: any MonotonicClock = SystemClock(), random: any RandomSource = SplitMixRandom.shared,
        onProblem: (@Sendable (String) -> Void)? = nil
    ) {
        core = EtcdCore(
            EtcdClient(
                members.map { Endpoint($0) }, options: options, transport: transport, clock: clock, random: random,
                report: onProblem ?? { _ in }))
    }

    // Instances whose registrations were released leave as well: nobody else could end them.
    deinit { Task { [core] in await core.close() } }

    /// Puts the instance's key and keeps it there.
    ///
    /// - Throws: ALREADY_EXISTS when etcd has the key, whoever put it; INVALID_ARGUMENT; UNAVAILABLE and other errors of
    ///   calls to etcd.
    public func register(_ instance: ServiceInstance) async throws(RPCError) -> Registration {
        let keeper = try await core.register(instance)
        // Keeps the registry alive.
        return Registration { [self] in await core.leave(keeper) }
    }

    /// Follows the instances of a service.
    public func watch(
        _ service: String, onUpdate: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void
    ) -> RegistryWatch {
        let feed = RegistryFeed(onUpdate)
        core.watch(service, feed)
        return RegistryWatch { [self] in
            feed.cancel()
            core.unwatch(service, feed)
        }
    }

    /// Takes all instances of this object out of etcd, and ends its connections. Watches hear nothing more.
    public func close() async { await core.close() }
}
