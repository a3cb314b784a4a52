// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// What a running server shares with its listeners and connections; it goes on as long as one of them does.
final class ActiveServer: Sendable {
    struct State {
        var connections: [ObjectIdentifier: ServerConnection] = [:]
        var opened = 0
        // Not in the order of hashes, which no run has twice.
        var connectionsInOrder: [ServerConnection] { connections.values.sorted { $0.number < $1.number } }
        var limit: ConnectionLimit
        // Sockets that are open, those that only wait for their last bytes to leave included.
        var sockets: [ObjectIdentifier: UVStreamIO] = [:]
        // Connections whose PROXY header or TLS handshake goes on.
        var handshakes: [ObjectIdentifier: Handshake] = [:]
        // Connections that were closed before they were served.
        var refused = 0
        var listeners: [ListenerHandle] = []
        var listening = 0
        var addresses: [Endpoint.Address] = []
        var isStopping = false
        // Handlers that ignore their cancellation are not waited for any more.
        var isForced = false
        var isStopped = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }

    /// A connection that has something to do before HTTP/2. Sendable: its stream is touched on its loop alone.
    struct Handshake: @unchecked Sendable {
        let io: any ConnectionIO
        let loop: any EventLoop
    }

    /// A listener with the way to close it, from any thread; it calls back when it is closed.
    struct ListenerHandle: Sendable {
        let address: Endpoint.Address
        let close: @Sendable (_ closed: @escaping @Sendable () -> Void) -> Void
    }

    /// Its number in the process' inventory.
    let inventoryID = Inventory.process.nextID()
    let server: Server
    let options: ServerOptions
    let loops: EventLoops
    let balance: LoopBalance
    let tls: TLSAcceptor?
    let handlers: HandlerCounts
    let state: Mutex<State>

    init(_ server: Server, options: ServerOptions) throws(RPCError) {
        self.server = server
        self.options = options
        let limit = ConnectionLimit(
            total: options.maximumConnections, perPeer: options.maximumConnectionsPerPeer)
        state = Mutex(State(limit: limit))
        if let loops = options.eventLoops { self.loops = loops } else { loops = try EventLoops.shared() }
        balance = LoopBalance(loops)
        handlers = HandlerCounts(server.router)
        if let tls = options.tls { self.tls = try TLSAcceptor(tls) } else { tls = nil }
        options.bufferBudget.add(self)
    }

    var addresses: [Endpoint.Address] { state.withLock { $0.addresses } }

    var counts: RunningServer.Counts {
        var counts = state.withLock { state in
            RunningServer.Counts(
                connections: state.connections.count, handshakes: state.handshakes.count, refused: state.refused)
        }
        counts.handlers = handlers.running
        counts.calls = handlers.started
        return counts
    }

    /// Closes every connection: calls in flight are cancelled.
    func stopNow() {
        let (connections, sockets) = state.withLock { state in
            state.isForced = true
            return (state.connectionsInOrder, Array(state.sockets.values))
        }
        beginDraining()
        for connection in connections {
            connection.loop.execute { connection.close("the server stops") }
        }
        // Then there is no time for last bytes.
        for socket in sockets { socket.loop.execute { socket.abort("the server stops") } }
    }

    /// Waits for the last connection's end after a stop; stops at once when the task is cancelled.
    func waitUntilStopped() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                let stopped = state.withLock { state in
                    if !state.isStopped { state.waiters.append(waiter) }
                    return state.isStopped
                }
                if stopped { waiter.resume() }
            }
        } onCancel: {
            stopNow()
        }
    }

    /// Closes the listeners and lets calls in flight finish.
    func beginDraining() {
        handlers.serverStops()
        let (listeners, connections, handshakes, sockets) = state.withLock { state in
            defer {
                state.isStopping = true
                state.listeners = []
            }
            let handshakes = Array(state.handshakes.values)
            return (state.listeners, state.connectionsInOrder, handshakes, Array(state.sockets.values))
        }
        for listener in listeners { listener.close { self.listenerClosed() } }
        for handshake in handshakes { handshake.loop.execute { self.abandon(handshake) } }
        for connection in connections { connection.loop.execute { connection.drain() } }
        for socket in sockets { socket.loop.execute { socket.forgetOffender() } }
        finishIfEmpty()
    }

    private func listenerClosed() {
        state.withLock { $0.listening -= 1 }
        finishIfEmpty()
    }

    func finishIfEmpty() {
        let waiters = state.withLock { state -> [UnsafeContinuation<Void, Never>] in
            guard state.isStopping, state.listening == 0, state.connections.isEmpty, state.handshakes.isEmpty,
                state.sockets.isEmpty
            else { return [] }
            guard state.isForced || handlers.running == 0 else { return [] }
            state.isStopped = true
            defer { state.waiters = [] }
            return state.waiters
        }
        if state.withLock({ $0.isStopped }) { Inventory.process.removeServer(inventoryID) }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: For listeners

    func add(_ listener: ListenerHandle) {
        let late = state.withLock { state in
            if !state.isStopping {
                state.listeners.append(listener)
                state.listening += 1
                // Sockets that share a port have one address.
                if !state.addresses.contains(listener.address) { state.addresses.append(listener.address) }
            }
            return state.isStopping
        }
        if late { listener.close {} }
    }

    /// The connections that live on a loop.
    func connections(on loop: UVLoop) -> [ServerConnection] {
        state.withLock { state in state.connections.values.filter { $0.loop === loop } }
    }

    func open(_ io: any ConnectionIO, on loop: any EventLoop) {
        let connection = ServerConnection(io, loop: loop, server: server, options: options, owner: self)
        let (isStopping, isForced) = state.withLock { state in
            state.opened += 1
            connection.number = state.opened
            state.connections[ObjectIdentifier(connection)] = connection
            return (state.isStopping, state.isForced)
        }
        connection.start()
        // A connection that came while the server stops gets what the others got.
        if isForced { connection.close("the server stops") } else if isStopping { connection.drain() }
    }
}

extension ActiveServer: ServerConnectionOwner {
    func connectionClosed(_ connection: ServerConnection) {
        _ = state.withLock { $0.connections.removeValue(forKey: ObjectIdentifier(connection)) }
        gone(connection.io.peer, on: connection.loop)
    }

    func lastHandlerEnded() { finishIfEmpty() }
}
