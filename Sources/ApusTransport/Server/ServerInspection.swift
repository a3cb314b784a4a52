// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import ApusHTTP2
import Synchronization

/// A running server as operators look at it. It keeps nothing running: a server whose ``RunningServer`` is released
/// stops all the same.
package struct ServerInspection: Sendable {
    let active: ActiveServer

    init(_ active: ActiveServer) { self.active = active }

    /// Where it listens.
    package var addresses: [Endpoint.Address] { active.addresses }
    /// What it does.
    package var counts: RunningServer.Counts { active.counts }
    /// Its limits.
    package var options: ServerOptions { active.options }
    /// Its policies, outermost first.
    package var interceptors: [any ServerInterceptor] { active.server.interceptors }
    /// Its services' names.
    package var services: [String] {
        Set(active.server.router.methods.map(\.service)).sorted()
    }
    /// Whether it was asked to stop.
    package var isStopping: Bool { active.state.withLock { $0.isStopping } }
    /// Whether its last connection is closed.
    package var isStopped: Bool { active.state.withLock { $0.isStopped } }
    /// What its connections live on.
    package var loops: EventLoops { active.loops }

    /// The connections on a loop, and their streams. On that loop alone.
    func load(of loop: any EventLoop) -> (connections: Int, streams: Int) {
        let own = active.state.withLock { state in state.connections.values.filter { $0.loop === loop } }
        return (own.count, own.reduce(0) { $0 + ($1.session?.streamCount ?? 0) })
    }
}

extension RunningServer {
    /// What operators look at.
    package var inspection: ServerInspection { ServerInspection(active) }
}
