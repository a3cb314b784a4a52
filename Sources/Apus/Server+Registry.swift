// SPDX-License-Identifier: Apache-2.0

extension Server {
    /// Serves under a name in a registry until SIGTERM, SIGINT or the task's cancellation: the instance enters the
    /// registry when it listens; it leaves, lets its calls finish and closes when it is told to stop.
    ///
    /// - Parameters:
    ///   - address: where to listen; port 0 takes a free port, which is what the registry gets.
    ///   - name: what clients look up.
    ///   - metadata: what the registry tells about the instance.
    ///   - grace: the time that calls in flight get.
    ///   - started: called when the server listens and is registered.
    /// - Throws: as ``start(on:options:)`` and the registry's `register`, and what `started` throws.
    public func serve(
        on address: Endpoint.Address, as name: String, in registry: any Registry, metadata: [String: String] = [:],
        options: ServerOptions = ServerOptions(), grace: Duration = .seconds(30),
        started: (RunningServer) async throws -> Void = { _ in }
    ) async throws {
        var registrations: [Registration] = []
        func leave() async { for registration in registrations { await registration.leave() } }
        do {
            try await serve(on: address, options: options, grace: grace) { running in
                for address in running.addresses {
                    let endpoint = Endpoint(address, metadata: metadata)
                    let instance = ServiceInstance(service: name, id: Self.newID(), endpoint: endpoint)
                    registrations.append(try await registry.register(instance))
                }
                try await started(running)
            } stopping: {
                await leave()
            }
        } catch {
            await leave()
            throw error
        }
    }

    // 64 random bits: nobody else's, also not one of this port's past owners.
    private static func newID() -> String { String(SplitMixRandom.shared.next(), radix: 16) }
}
