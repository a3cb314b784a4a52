// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// A server that listens: its addresses, and the way to stop it.
public final class RunningServer: Sendable {
    /// What the server is doing, for tests and operators.
    public struct Counts: Sendable, Equatable {
        /// Open connections.
        public var connections = 0
        /// Handlers that run now.
        public var handlers = 0
        /// Calls whose handlers were started.
        public var calls = 0
    }

    private struct State {
        var connections: [ObjectIdentifier: ServerConnection] = [:]
        var listeners: [ListenerHandle] = []
        var addresses: [Endpoint.Address] = []
        var isStopping = false
        var isStopped = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }

    /// A listener with the way to close it, from any thread.
    struct ListenerHandle: Sendable {
        let address: Endpoint.Address
        let close: @Sendable () -> Void
    }

    let server: Server
    let options: ServerOptions
    let loops: EventLoops
    let balance: LoopBalance
    private let executors: ServiceExecutors
    private let state = Mutex(State())
    private let handlers = Atomic<Int>(0)
    private let calls = Atomic<Int>(0)

    init(_ server: Server, options: ServerOptions) throws(RPCError) {
        self.server = server
        self.options = options
        if let loops = options.eventLoops { self.loops = loops } else { loops = try EventLoops.shared() }
        balance = LoopBalance(loops.loops)
        executors = ServiceExecutors(server.router)
    }

    deinit { stopNow() }

    /// Where the server listens; with port 0 asked for, the port that it got.
    public var addresses: [Endpoint.Address] { state.withLock { $0.addresses } }

    /// The present counts.
    public var counts: Counts {
        Counts(
            connections: state.withLock { $0.connections.count }, handlers: handlers.load(ordering: .relaxed),
            calls: calls.load(ordering: .relaxed))
    }

    /// Stops gracefully: no new connections, GOAWAY on the open ones, calls in flight finish.
    ///
    /// Returns when the last one has ended. Cancelled, or when `grace` is over, the calls that are left are cancelled.
    public func stop(grace: Duration = .seconds(30)) async {
        beginDraining()
        let limit = Task {
            try await Task.sleep(for: grace)
            self.stopNow()
        }
        await waitUntilStopped()
        limit.cancel()
    }

    /// Stops at once: calls in flight are cancelled.
    public func stopNow() {
        beginDraining()
        for connection in state.withLock({ Array($0.connections.values) }) {
            connection.loop.execute { connection.close("the server stops") }
        }
    }

    /// Waits until the server was stopped and its last connection is closed; returns at once when the task is
    /// cancelled, after stopping the server.
    public func waitUntilStopped() async {
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

    private func beginDraining() {
        let (listeners, connections) = state.withLock { state in
            defer {
                state.isStopping = true
                state.listeners = []
            }
            return (state.listeners, Array(state.connections.values))
        }
        for listener in listeners { listener.close() }
        for connection in connections { connection.loop.execute { connection.drain() } }
        finishIfEmpty()
    }

    private func finishIfEmpty() {
        let waiters = state.withLock { state -> [UnsafeContinuation<Void, Never>] in
            guard state.isStopping, state.connections.isEmpty else { return [] }
            state.isStopped = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: For listeners

    func add(_ listener: ListenerHandle) {
        let late = state.withLock { state in
            if !state.isStopping {
                state.listeners.append(listener)
                state.addresses.append(listener.address)
            }
            return state.isStopping
        }
        if late { listener.close() }
    }

    /// Serves a connection on the loop that is calling.
    func serve(_ io: any ConnectionIO, on loop: any EventLoop) {
        let connection = ServerConnection(io, loop: loop, server: server, options: options, owner: self)
        let late = state.withLock { state in
            state.connections[ObjectIdentifier(connection)] = connection
            return state.isStopping
        }
        connection.start()
        if late { connection.drain() }
    }
}

extension RunningServer: ServerConnectionOwner {
    func executor(for entry: Router.Entry) -> (any TaskExecutor)? { executors[entry.service] }

    func connectionClosed(_ connection: ServerConnection) {
        balance.connectionClosed(on: connection.loop)
        _ = state.withLock { $0.connections.removeValue(forKey: ObjectIdentifier(connection)) }
        finishIfEmpty()
    }

    func handlerStarted() {
        handlers.wrappingAdd(1, ordering: .relaxed)
        calls.wrappingAdd(1, ordering: .relaxed)
    }

    func handlerEnded() { handlers.wrappingSubtract(1, ordering: .relaxed) }
}

/// The executors of a server's services, by the number of the service.
struct ServiceExecutors: Sendable {
    private var executors: [(any TaskExecutor)?] = []

    init(_ router: Router) {
        for index in 0..<router.methods.count {
            let entry = router[index]
            while executors.count <= entry.service { executors.append(nil) }
            if executors[entry.service] == nil { executors[entry.service] = Self.make(entry.execution) }
        }
    }

    subscript(service: Int) -> (any TaskExecutor)? { executors[service] }

    private static func make(_ execution: HandlerExecution) -> (any TaskExecutor)? {
        switch execution {
        case .loop: nil
        case .concurrent: globalConcurrentExecutor
        case .threads(let count): ThreadPool(threads: max(1, count))
        case .executor(let executor): executor
        }
    }
}
