// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// The way from one loop to one endpoint: its connections, made when calls need them, and the calls that wait for
/// one. Confined to its loop.
///
/// One connection carries all calls while the server takes them; more are made, up to a maximum, when its streams run
/// out. After a failure it tries again by itself, so that balancers, which avoid it meanwhile, see it come back.
final class Subchannel {
    /// The connection that is being made.
    enum Attempt {
        case none
        case dialing
        case handshaking(ClientConnection)
        case backingOff(ConnectFailure)
    }

    let handle: EndpointHandle
    /// Its number in the process' inventory.
    let inventoryID = Inventory.process.nextID()
    private let pool: ConnectionPool
    let waiting: CallQueue
    private var keepalive: ClientKeepalive?
    // Unchecked: one thread, and no access lasts while something else is called.
    @exclusivity(unchecked) var attempt = Attempt.none
    private var dialing: (any Dialing)?
    // Connections that take calls, the oldest first: it is filled first, so that spare ones become idle.
    @exclusivity(unchecked) var connections: [ClientConnection] = []
    // Connections that finish their calls and take no new ones.
    private(set) var draining: [ClientConnection] = []
    var failures = 0
    // What was sent on connections that are gone.
    private var past = CallCounts()
    // Whether the calls that wait had a connection to wait for.
    private var lostLast = false
    var end: End?
    private(set) var state = ConnectivityState.idle
    // What balancers see of it.
    private var shownState = ConnectivityState.idle
    private lazy var retry = LoopTimer { [unowned self] in self.backedOff() }

    struct End {
        let reason: String
        let isRetired: Bool

        // Calls of an endpoint that left find others; those of a closed channel do not.
        var progress: RPCError.Progress { isRetired ? .notSent : .notConnected }
    }

    init(_ handle: EndpointHandle, _ pool: ConnectionPool) {
        self.handle = handle
        self.pool = pool
        waiting = CallQueue(handle)
        keepalive = pool.options.keepalive
        pool.connectivity.added(state)
    }

    var options: TransportOptions { pool.options }

    // MARK: Connecting

    /// Makes a connection if there is none.
    func connect() {
        if connections.isEmpty, case .none = attempt { dial() }
    }

    // Another connection is due when calls wait, or when the last good one comes to its end.
    func connectIfNeeded() {
        guard case .none = attempt, end == nil else { return }
        let lasting = connections.count { !$0.isNearItsEnd }
        let isDue =
            waiting.isEmpty
            ? !connections.isEmpty && lasting == 0 : lasting < max(1, options.maximumConnectionsPerEndpoint)
        if isDue { dial() }
    }

    private func dial() {
        guard end == nil else { return }
        attempt = .dialing
        publish()
        dialing = pool.dialer.dial(handle.address, on: pool.loop) { result in
            // Kept until there is an answer, or until `dialing` is cancelled.
            self.dialed(result)
        }
        // The answer may have come before `dial` returned.
        if case .dialing = attempt {} else { dialing = nil }
    }

    private func dialed(_ result: Result<any ConnectionIO, ConnectFailure>) {
        dialing = nil
        switch result {
        case .failure(let failure): connectFailed(failure)
        case .success(let io):
            guard case .dialing = attempt else { return io.close() }
            let connection = ClientConnection(io, loop: pool.loop, owner: self, options: options)
            connection.plan.keepalive = keepalive?.schedule
            connection.plan.limits.idle = connections.isEmpty ? options.idleTimeout : spareIdleTimeout
            attempt = .handshaking(connection)
            connection.start(options.settings, handshakeTimeout: options.handshakeTimeout)
        }
    }

    private var spareIdleTimeout: Duration {
        min(options.idleTimeout ?? options.spareIdleTimeout, options.spareIdleTimeout)
    }

    private func connectFailed(_ failure: ConnectFailure) {
        backOff(after: failure)
        guard connections.isEmpty, end == nil else { return }
        // Those who had a connection to wait for are sent to other endpoints, if there are any; so are those who wait
        // for ready, who would else wait for this one endpoint for ever.
        let progress: RPCError.Progress = lostLast ? .notSent : .notConnected
        lostLast = false
        for stream in waiting.takeAll(where: { !$0.call.waitForReady }) { fail(stream, failure, progress: progress) }
        handBack(failure) { $0.handles.count > 1 }
    }

    private func backOff(after failure: ConnectFailure) {
        guard end == nil else { return }
        failures += 1
        attempt = .backingOff(failure)
        publish()
        let delay = options.backoff.delay(failures: failures, unit: pool.loop.random.unit())
        pool.loop.schedule(retry, at: pool.loop.now.advanced(by: delay))
    }

    /// The endpoint was reached from another loop: there is no reason to wait any longer.
    func retryNow() {
        guard case .backingOff = attempt else { return }
        pool.loop.cancel(retry)
        backedOff()
    }

    private func backedOff() {
        attempt = .none
        if connections.isEmpty { dial() } else { connectIfNeeded() }
    }

    // MARK: What connections tell

    /// The server's SETTINGS are here: calls may go out.
    func becameReady(_ connection: ClientConnection) {
        guard case .handshaking(let current) = attempt, current === connection, !connection.isDraining else { return }
        attempt = .none
        failures = 0
        lostLast = false
        let old = connections.filter(\.isNearItsEnd)
        connections.append(connection)
        publish()
        for connection in old { replace(connection) }
        sendWaiting()
        pool.becameReady(handle)
    }

    func replace(_ connection: ClientConnection) {
        if connection.isExhausted || connections.contains(where: { !$0.isNearItsEnd }) {
            connection.drain("its stream identifiers run out")
        } else {
            connectIfNeeded()
        }
    }

    /// No new calls: those in flight finish, then the connection closes.
    func startedDraining(_ connection: ClientConnection, _ reason: String) {
        draining.append(connection)
        left(connection, reason)
    }

    /// The server will not be asked so often whether it is there.
    func tooManyPings() { keepalive?.slowDown() }

    /// The connection is gone.
    func closed(_ connection: ClientConnection, _ reason: String) {
        past.started += connection.streamsStarted
        past.failed += connection.callsFailed
        draining.removeAll { $0 === connection }
        if case .handshaking(let current) = attempt, current === connection {
            connectFailed(ConnectFailure(reason: "\(handle.address): \(reason)"))
        } else {
            left(connection, reason)
        }
    }

    // A ready connection takes no more calls: calls that wait get another.
    private func left(_ connection: ClientConnection, _ reason: String) {
        guard let index = connections.firstIndex(where: { $0 === connection }) else { return }
        connections.remove(at: index)
        if index == 0, let next = connections.first { next.setIdleTimeout(options.idleTimeout) }
        if connections.isEmpty { lostLast = true }
        publish()
        guard !waiting.isEmpty else { return }
        if connection.isUnused, connections.isEmpty, case .none = attempt {
            // A server that takes connections but no calls, and hangs up, may not make its clients spin.
            backOff(after: ConnectFailure(reason: "\(handle.address): \(reason)"))
        } else if connections.isEmpty, case .backingOff(let failure) = attempt {
            pool.loop.cancel(retry)
            connectFailed(failure)
        } else {
            connectIfNeeded()
        }
    }

    /// What was sent on its connections, gone ones too.
    var calls: CallCounts {
        (connections + draining).reduce(into: past) { counts, connection in
            counts.started += connection.streamsStarted
            counts.failed += connection.callsFailed
            counts.running += Int64(connection.session?.streamCount ?? 0)
        }
    }

    // MARK: Connectivity

    private var currentState: ConnectivityState {
        // A handle may be shared with another channel: only discovery's word ends it for both.
        if let end { return end.isRetired ? .shutdown : .idle }
        if !connections.isEmpty { return .ready }
        switch attempt {
        case .none: return .idle
        case .dialing, .handshaking: return .connecting
        case .backingOff: return .transientFailure
        }
    }

    private func publish() {
        waiting.awaitsStream = !connections.isEmpty
        let (old, new) = (state, currentState)
        guard old != new else { return }
        state = new
        // Trying again is no reason to send calls there: one that answers nobody would have its share of them for as
        // long as each attempt lasts. Source: gRPC load balancing, *TRANSIENT_FAILURE until READY*.
        let (shown, shows) = (shownState, new == .connecting && failures > 0 ? .transientFailure : new)
        shownState = shows
        if shown != shows { handle.connectivityChanged(from: shown, to: shows) }
        pool.connectivity.observer?.connectivityChanged(handle.endpoint, from: old, to: new)
        pool.connectivity.changed(from: old, to: new)
    }

    // MARK: The end

    /// The endpoint left its service: calls in flight finish, those that wait go elsewhere.
    func retire() {
        let connections = stop(End(reason: "the endpoint \(handle.address) has left", isRetired: true))
        for connection in connections { connection.drain("the endpoint has left") }
    }

    /// Closes everything now: calls in flight fail.
    func close(_ reason: String) {
        let all = stop(End(reason: reason, isRetired: false)) + draining
        for connection in all { connection.close(reason) }
    }

    // Returns the connections that there are. Their calls go on until the caller ends them.
    private func stop(_ end: End) -> [ClientConnection] {
        var all = connections
        if case .handshaking(let connection) = attempt { all.append(connection) }
        self.end = end
        connections = []
        attempt = .none
        publish()
        pool.connectivity.removed(state)
        dialing?.cancel()
        dialing = nil
        pool.loop.cancel(retry)
        let error = RPCError(.unavailable, end.reason, progress: end.progress)
        for stream in waiting.takeAll() { stream.fail(error) }
        return all
    }
}
