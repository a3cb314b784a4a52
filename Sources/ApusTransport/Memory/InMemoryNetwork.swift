// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Servers and channels of one process that talk without sockets: real HTTP/2 and gRPC, in memory. For tests of your
/// services, of your interceptors, and of how both bear the loss of a server.
///
/// ```swift
/// let network = InMemoryNetwork()
/// let running = try network.start(Server([Users()]), as: "users")
/// let channel = Channel("users", interceptors: [...], transport: network.transport())
/// ```
public final class InMemoryNetwork: Sendable {
    private let names = Names()

    fileprivate final class Names: Sendable {
        let servers = Mutex<[String: WeakServer]>([:])
    }

    fileprivate struct WeakServer: Sendable {
        weak let server: ActiveServer?
    }

    /// A network without servers.
    public init() {}

    /// Serves under a name until the result is stopped or released.
    ///
    /// - Throws: UNAVAILABLE when the name is in use.
    public func start(
        _ server: Server, as name: String, options: ServerOptions = ServerOptions()
    ) throws(RPCError) -> RunningServer {
        let active = try ActiveServer(server, options: options)
        let isTaken = names.servers.withLock { servers in
            if servers[name]?.server != nil { return true }
            servers[name] = WeakServer(server: active)
            return false
        }
        guard !isTaken else { throw RPCError(.unavailable, "the name \(name) is in use in this network") }
        active.add(
            ActiveServer.ListenerHandle(address: .memory(name)) { [names, weak active] closed in
                names.servers.withLock { servers in
                    if servers[name]?.server === active { servers[name] = nil }
                }
                closed()
            })
        return RunningServer(active)
    }

    /// A transport whose endpoints are names of this network: `Endpoint(.memory("users"))`.
    public func transport(options: TransportOptions = TransportOptions()) -> any ClientTransport {
        HTTP2Transport(dialer: MemoryDialer(names: names), options: options)
    }
}

private struct MemoryDialer: Dialer {
    let names: InMemoryNetwork.Names

    func dial(
        _ address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        guard case .memory(let name) = address, let server = names.servers.withLock({ $0[name]?.server }) else {
            answer(.failure(ConnectFailure(reason: "connect \(address): nobody serves it in this network")))
            return NoDialing()
        }
        let serverLoop = server.balance.leastMember()
        let (client, accepted) = MemoryPipe.pair(name, loop, serverLoop)
        serverLoop.execute { server.serve(accepted, on: serverLoop) }
        answer(.success(client))
        return NoDialing()
    }
}
