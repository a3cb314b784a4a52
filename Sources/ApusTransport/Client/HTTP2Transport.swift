// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusWire
import Synchronization

/// gRPC over HTTP/2: connections to the endpoints that a channel's interceptors choose, one pool for each event loop.
///
/// A call that is made on an event loop uses that loop's own connection, without a change of thread.
public final class HTTP2Transport: ConnectivityReporting {
    private let pools: Result<[ConnectionPool], RPCError>
    private let options: TransportOptions
    private let inventoryID = Inventory.process.nextID()
    private let isClosed = Atomic<Bool>(false)
    package let connectivity = Connectivity()

    /// Connections over TCP and Unix domain sockets, made when calls need them.
    public convenience init(options: TransportOptions = TransportOptions()) {
        self.init(
            dialer: SocketDialer(
                connectTimeout: options.connectTimeout, acknowledgementTimeout: options.acknowledgementTimeout),
            options: options)
    }

    init(dialer: any Dialer, options: TransportOptions) {
        self.options = options
        do throws(RPCError) {
            let loops = if let loops = options.eventLoops { loops } else { try EventLoops.shared() }
            try options.check()
            let dialer = try Self.layered(dialer, options)
            let (connectivity, group) = (connectivity, PoolGroup())
            let all = loops.members.map {
                ConnectionPool(loop: $0, dialer: dialer, options: options, connectivity: connectivity, group: group)
            }
            pools = .success(all)
            // Simulated loops can be asked by their own thread alone.
            guard !loops.loops.isEmpty else { return }
            Inventory.process.add(ChannelInspection(id: inventoryID, connectivity: connectivity, pools: all))
        } catch {
            pools = .failure(error)
        }
    }

    // TLS inside of the proxy's tunnel, both only where they are wanted.
    private static func layered(_ dialer: any Dialer, _ options: TransportOptions) throws(RPCError) -> any Dialer {
        var dialer = dialer
        if let choice = ProxyChoice(options.proxy) {
            dialer = ProxyDialer(inner: dialer, choice: choice, timeout: options.connectTimeout)
        }
        if let tls = options.tls { dialer = try TLSDialer(dialer, tls) }
        return dialer
    }

    deinit { close() }

    /// Sends the call to its endpoint.
    public func start(_ call: consuming ClientCall) async throws -> ClientResponse {
        guard let handle = call.endpoint else {
            throw RPCError(
                .internal, "no endpoint was chosen: end the channel's interceptors with a balancer",
                progress: .notConnected)
        }
        guard !isClosed.load(ordering: .relaxed) else {
            throw RPCError(.unavailable, Self.closed, progress: .notConnected)
        }
        let pool = try pool(for: handle)
        let stream: ClientStream
        if call.compression == nil {
            stream = ClientStream(consume call, loop: pool.loop, limits: pool.streamLimits)
        } else {
            stream = try compressed(call, for: pool)
        }
        let response = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { head in
                // Spelled out: an action that may be kept is an object.
                if pool.loop.isCurrent {
                    pool.start(stream, head, at: handle)
                } else {
                    pool.loop.execute { pool.start(stream, head, at: handle) }
                }
            }
        } onCancel: {
            stream.end(RPCError(.cancelled, "the calling task was cancelled"))
        }
        guard response.isCompressed else { return response }
        do throws(RPCError) {
            return try response.opened(stream.decompression)
        } catch {
            throw error.with(peer: handle.endpoint)
        }
    }

    // The only message of a request is compressed here, on the caller's thread: the loop has others to serve.
    private func compressed(_ call: ClientCall, for pool: ConnectionPool) throws(RPCError) -> ClientStream {
        guard let compression = call.compression, compression != .identity else {
            return ClientStream(call, loop: pool.loop, limits: pool.streamLimits)
        }
        guard let index = options.compressors.index(of: compression) else {
            throw RPCError(.internal, "this channel has no compressor \(compression)", progress: .notConnected)
        }
        var call = call
        if case .one(let message) = call.request {
            call.request = .one(try message.compressed(by: options.compressors[index]))
        }
        return ClientStream(call, compressor: index, loop: pool.loop, limits: pool.streamLimits)
    }

    /// Makes a connection to an endpoint, on the calling loop or on the endpoint's own, if there is none.
    public func connect(to endpoint: EndpointHandle) throws(RPCError) {
        let pool = try pool(for: endpoint)
        pool.loop.execute { pool.connect(to: endpoint) }
    }

    // The calling loop's own pool, or always the same one for an endpoint.
    private func pool(for handle: EndpointHandle) throws(RPCError) -> ConnectionPool {
        let pools = try pools.get()
        if let current = CurrentLoop.object, let own = pools.first(where: { $0.loop === current }) { return own }
        let address = UInt(bitPattern: ObjectIdentifier(handle).hashValue)
        return pools[Int(address % UInt(pools.count))]
    }

    private static let closed = "the channel is closed"

    /// Closes all connections. Calls in flight end with UNAVAILABLE.
    public func close() {
        guard !isClosed.exchange(true, ordering: .relaxed), let pools = try? pools.get() else { return }
        Inventory.process.removeChannel(inventoryID)
        for pool in pools { pool.loop.execute { pool.close(Self.closed) } }
    }

    /// The event loop whose thread is calling, if any.
    public var currentExecutor: (any TaskExecutor)? { CurrentLoop.loop }

    /// Runs `body` on an event loop and parks the calling thread.
    public func runBlocking(_ body: @escaping @Sendable () async -> Void) throws(RPCError) {
        guard CurrentLoop.object == nil else {
            throw RPCError(
                .failedPrecondition,
                "a blocking call on an event loop would stop the loop: use the async call, "
                    + "or give the service `execution` .threads(n)", progress: .notConnected)
        }
        let pools = try pools.get()
        let pool = pools[SplitMixRandom.shared.index(below: pools.count)]
        let done = Parked<Void>()
        Task(executorPreference: pool.loop) {
            await body()
            done.set(())
        }
        done.wait()
    }
}

extension Channel {
    /// A channel over sockets, on the process' event loops.
    public convenience init(
        _ name: String, interceptors: [any ClientInterceptor], options: TransportOptions = TransportOptions(),
        observer: (any Observer)? = nil
    ) {
        self.init(name, interceptors: interceptors, transport: HTTP2Transport(options: options), observer: observer)
    }
}
