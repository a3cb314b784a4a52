// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle
    public import ServiceLifecycle

    /// A server in a `ServiceGroup` of swift-service-lifecycle: it serves until the group shuts down gracefully, then
    /// its calls in flight finish. There with the package's trait `ServiceLifecycle` alone.
    ///
    /// ```swift
    /// let server = ServerService(try Server([Users()]), listeningOn: [.address(.host("::", port: 50051))])
    /// try await ServiceGroup(
    ///     services: [database, server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
    /// ).run()
    /// ```
    public struct ServerService: ServiceLifecycle.Service {
        private let server: Server
        private let targets: [ListenTarget]
        private let options: ServerOptions
        private let grace: Duration
        private let started: @Sendable (RunningServer) async throws -> Void
        private let stopping: @Sendable () async -> Void

        /// A server that listens when its group starts it.
        ///
        /// - Parameters:
        ///   - grace: the time that calls in flight get; less if the group has less patience
        ///     (`maximumGracefulShutdownDuration`).
        ///   - started: called when the server listens: the place to enter a registry.
        ///   - stopping: called at the shutdown, before connections are drained: the place to leave a registry.
        public init(
            _ server: Server, listeningOn targets: [ListenTarget], options: ServerOptions = ServerOptions(),
            grace: Duration = .seconds(30),
            started: @escaping @Sendable (RunningServer) async throws -> Void = { _ in },
            stopping: @escaping @Sendable () async -> Void = {}
        ) {
            self.server = server
            self.targets = targets
            self.options = options
            self.grace = grace
            self.started = started
            self.stopping = stopping
        }

        /// Serves until the group shuts down, or at once no more when the task is cancelled.
        ///
        /// - Throws: why the server cannot listen, and what `started` throws.
        public func run() async throws {
            let running = try server.start(listeningOn: targets, options: options)
            do {
                try await started(running)
            } catch {
                running.stopNow()
                throw error
            }
            // Cancelled, it throws: then the stop that follows is one at once.
            try? await gracefulShutdown()
            await stopping()
            await running.stop(grace: grace)
        }
    }
#endif
