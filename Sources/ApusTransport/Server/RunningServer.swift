// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A server that listens: its addresses, and the way to stop it. Released, it stops at once.
public final class RunningServer: Sendable {
    /// What the server is doing, for tests and operators.
    public struct Counts: Sendable, Equatable {
        /// Open connections.
        public var connections = 0
        /// Connections whose PROXY header or TLS handshake goes on.
        public var handshakes = 0
        /// Connections that were closed before they were served: above a limit, or after a failed handshake.
        public var refused = 0
        /// Handlers that run now.
        public var handlers = 0
        /// Calls whose handlers were started.
        public var calls = 0
    }

    let active: ActiveServer

    init(_ active: ActiveServer) {
        self.active = active
        Inventory.process.add(active)
    }

    deinit { active.stopNow() }

    /// Where the server listens; with port 0 asked for, the port that it got.
    public var addresses: [Endpoint.Address] { active.addresses }

    /// The present counts.
    public var counts: Counts { active.counts }

    /// Stops gracefully: the services are told, no new connections, GOAWAY on the open ones, calls in flight finish.
    ///
    /// Returns when the last one has ended. When `grace` is over, or the task is cancelled, the calls that are left
    /// are cancelled.
    public func stop(grace: Duration = .seconds(30)) async {
        active.server.willStop()
        active.beginDraining()
        let active = active
        let limit = Task {
            try await Task.sleep(for: grace)
            active.stopNow()
        }
        await active.waitUntilStopped()
        limit.cancel()
    }

    /// Stops at once: calls in flight are cancelled.
    public func stopNow() { active.stopNow() }

    /// Waits until the server was stopped and its last connection is closed. Cancelling the task stops the server
    /// at once.
    public func waitUntilStopped() async { await active.waitUntilStopped() }
}
