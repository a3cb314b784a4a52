// SPDX-License-Identifier: Apache-2.0

#if Admin
    public import ApusCore
    import ApusInterceptors
    public import ApusServices
    public import ApusTransport
    import FlyingSocks

    /// The admin page of a process, over HTTP/1.1: what its channels and servers do, live, for people and programs. There
    /// with the package's trait `Admin` alone.
    ///
    /// | path | what |
    /// |---|---|
    /// | `/` | the page; it reads `/events`, a snapshot each second |
    /// | `/metrics` | all measures, for Prometheus |
    /// | `/healthz` | whether the event loops answer: 200 or 503 |
    /// | `/readyz` | whether the server takes calls, by its ``Health``: 200, or 503 also while it stops |
    /// | `/rpcz` | recent, slow and failed calls with their tries |
    /// | `/config` | the policies in force, service configs with their source, limits |
    /// | `/connections`, `/loops` | endpoints and servers; event loops with their lag |
    ///
    /// What is text for people is JSON under the same path with `.json`, or by `Accept: application/json`.
    ///
    /// It does not run on the event loops that it looks at, so it answers while they do not. Heads of requests are bounded
    /// in size and time, connections and readers of events in number; who does not read is dropped.
    ///
    /// ```swift
    /// let admin = AdminServer(telemetry, health: health, channels: [users])
    /// async let page: Void = admin.run { print("the admin page: \($0)") }
    /// try await server.serve(on: .host("0.0.0.0", port: 50051), as: "shop", in: registry) { running in
    ///     admin.show(running)
    /// }
    /// ```
    public final class AdminServer: Sendable {
        private let options: AdminOptions
        private let site: AdminSite

        /// A page that is there while ``run(started:)`` runs.
        ///
        /// - Parameters:
        ///   - telemetry: the observer of the channels and servers.
        ///   - health: the health service of the server; without one it is ready until it stops.
        ///   - channels: whose policies and state are shown.
        ///   - eventLoops: the loops to watch; nil watches the process' own.
        public init(
            _ telemetry: AdminTelemetry, health: Health? = nil, channels: [Channel] = [],
            eventLoops: EventLoops? = nil, options: AdminOptions = AdminOptions()
        ) {
            self.options = options
            site = AdminSite(
                telemetry, health: health, channels: channels,
                access: AdminAccess(token: options.token, hosts: options.hosts),
                loops: eventLoops ?? (try? EventLoops.shared()), mostListeners: max(0, options.maximumListeners))
        }

        /// Tells of a server, too. It is not kept running by that; once all servers have stopped, the page ends.
        public func show(_ server: RunningServer) { site.show(server.inspection) }

        /// Serves the page until the task is cancelled, or until the servers that it shows have stopped.
        ///
        /// - Parameter started: called with the page's address, such as `http://127.0.0.1:9900/`, when it is there.
        /// - Throws: INVALID_ARGUMENT for an address that needs a token; UNAVAILABLE when the port is taken.
        public func run(started: @Sendable (String) async throws -> Void = { _ in }) async throws {
            if let problem = options.problem { throw RPCError(.invalidArgument, problem) }
            let pool: some AsyncSocketPool = SocketPool.make()
            let listener: AdminListener
            do {
                // First of all: a port that is taken is told at once.
                listener = try AdminListener(options)
            } catch {
                throw unavailable(error)
            }
            defer { listener.close() }
            do { try await pool.prepare() } catch { throw unavailable(error) }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await pool.run() }
                tasks.addTask { [site, options] in try await listener.serve(site, options, pool) }
                tasks.addTask { [self] in try await watch() }
                try await started("http://\(listener.authority)/")
                do {
                    try await tasks.next()
                } catch  where error is CancellationError || Task.isCancelled {}
                tasks.cancelAll()
                while await tasks.nextResult() != nil {}
            }
        }

        private func unavailable(_ error: any Error) -> RPCError {
            RPCError(.unavailable, "no admin page at \(options.host):\(options.port): \(error)")
        }

        // Returns when the servers have stopped.
        private func watch() async throws {
            while !site.hasEnded {
                site.askLoops()
                try await Task.sleep(for: Self.pause)
            }
        }

        private static let pause = Duration.milliseconds(250)
    }
#endif
