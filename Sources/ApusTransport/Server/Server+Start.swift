// SPDX-License-Identifier: Apache-2.0

public import ApusCore

extension Server {
    /// Listens on an address and serves until the result is stopped or released.
    ///
    /// ```swift
    /// let running = try server.start(on: .host("127.0.0.1", port: 0))
    /// print(running.addresses)
    /// ```
    ///
    /// - Throws: UNAVAILABLE with the cause for an address that is in use or not ours; INVALID_ARGUMENT for one
    ///   that is none.
    public func start(
        on address: Endpoint.Address, options: ServerOptions = ServerOptions()
    ) throws(RPCError) -> RunningServer {
        try start(on: [address], options: options)
    }

    /// Listens on several addresses.
    ///
    /// - Throws: as ``start(on:options:)``; then none of the addresses is listened on.
    public func start(
        on addresses: [Endpoint.Address], options: ServerOptions = ServerOptions()
    ) throws(RPCError) -> RunningServer {
        try start(listeningOn: addresses.map(ListenTarget.address), options: options)
    }

    /// Listens on addresses and inherited sockets, each with options of its own.
    ///
    /// - Throws: as ``start(on:options:)``, and FAILED_PRECONDITION when no such socket was inherited; then none of
    ///   the targets is listened on.
    public func start(
        listeningOn targets: [ListenTarget], options: ServerOptions = ServerOptions()
    ) throws(RPCError) -> RunningServer {
        let active = try ActiveServer(self, options: options)
        do throws(RPCError) {
            for target in targets { try Acceptor.listen(on: target, for: active) }
        } catch {
            active.stopNow()
            throw error
        }
        return RunningServer(active)
    }

    /// Listens, tells the bound addresses, and serves until the process gets SIGTERM or SIGINT or the task is
    /// cancelled; then calls in flight finish.
    ///
    /// - Parameters:
    ///   - grace: the time that calls in flight get.
    ///   - started: called when the server listens: the place to enter a registry.
    ///   - stopping: called when the signal came, before connections are drained: the place to leave a registry.
    /// - Throws: as ``start(on:options:)``, and what `started` throws.
    public func serve(
        on address: Endpoint.Address, options: ServerOptions = ServerOptions(), grace: Duration = .seconds(30),
        started: (RunningServer) async throws -> Void = { _ in }, stopping: () async -> Void = {}
    ) async throws {
        try await serve(
            listeningOn: [.address(address)], options: options, grace: grace, started: started, stopping: stopping)
    }

    /// Serves as ``serve(on:options:grace:started:stopping:)`` does, on addresses and inherited sockets.
    ///
    /// A process that systemd started for a unit with `Type=notify` tells it when it is ready (`started` has returned)
    /// and when it begins to stop; where the unit has `WatchdogSec=`, also that its event loops turn.
    ///
    /// - Throws: as ``start(listeningOn:options:)``, and what `started` throws.
    public func serve(
        listeningOn targets: [ListenTarget], options: ServerOptions = ServerOptions(), grace: Duration = .seconds(30),
        started: (RunningServer) async throws -> Void = { _ in }, stopping: () async -> Void = {}
    ) async throws {
        let (signals, loops) = (try StopSignals(), try EventLoops.shared())
        let running = try start(listeningOn: targets, options: options)
        do {
            try await started(running)
        } catch {
            running.stopNow()
            throw error
        }
        let manager = ServiceManager.present
        manager?.tell(.ready)
        let liveness = manager?.liveness(of: loops.members)
        await signals.wait()
        manager?.tell(.stopping)
        await stopping()
        await running.stop(grace: grace)
        withExtendedLifetime(liveness) {}
    }
}
