// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire

/// The way from one loop to one endpoint: at most one connection that takes calls, made when a call needs it, and
/// the calls that wait for it. Confined to its loop.
///
/// After a failure it tries again by itself, so that balancers, which avoid it meanwhile, see it come back.
final class Subchannel {
    private enum State {
        case idle
        case dialing
        case handshaking(ClientConnection)
        case ready(ClientConnection)
        case backingOff(ConnectFailure)
        case shutdown(String)
    }

    private let handle: EndpointHandle
    private let pool: ConnectionPool
    private var keepalive: ClientKeepalive?
    private var state = State.idle
    private var dialing: (any Dialing)?
    private var waiting: [ClientStream] = []
    // Connections that finish their calls and take no new ones.
    private var draining: [ClientConnection] = []
    private var failures = 0
    // The channel's, known from its first call here.
    private var observer: (any Observer)?
    private lazy var retry = LoopTimer { [unowned self] in self.connect() }

    init(_ handle: EndpointHandle, _ pool: ConnectionPool) {
        self.handle = handle
        self.pool = pool
        keepalive = pool.options.keepalive
    }

    /// Sends the call now, when there is a connection, or fails it.
    func submit(_ stream: ClientStream) {
        if observer == nil { observer = stream.call.observer }
        switch state {
        case .ready(let connection) where connection.acceptsCalls: stream.send(on: connection)
        case .ready(let connection):
            connection.refusesStreams()
            waiting.append(stream)
            if case .idle = state { connect() }
        case .idle:
            waiting.append(stream)
            connect()
        case .dialing, .handshaking: waiting.append(stream)
        case .backingOff(let failure):
            if stream.call.waitForReady { waiting.append(stream) } else { fail(stream, failure) }
        case .shutdown(let reason): fail(stream, ConnectFailure(reason: reason))
        }
    }

    private func fail(_ stream: ClientStream, _ failure: ConnectFailure) {
        stream.fail(
            RPCError(.unavailable, failure.reason, progress: .notConnected, cause: "\(failures) failed connections"))
    }

    private func tell(_ state: ConnectivityState) {
        handle.connectivity = state
        observer?.connectivityChanged(handle.endpoint, to: state)
    }

    // MARK: Connecting

    private func connect() {
        if case .shutdown = state { return }
        state = .dialing
        tell(.connecting)
        dialing = pool.dialer.dial(handle.endpoint.address, on: pool.loop) { [weak self] result in
            self?.dialed(result)
        }
        // The answer may have come before `dial` returned.
        if case .dialing = state {} else { dialing = nil }
    }

    private func dialed(_ result: Result<any ConnectionIO, ConnectFailure>) {
        dialing = nil
        switch result {
        case .failure(let failure): connectFailed(failure)
        case .success(let io):
            guard case .dialing = state else { return io.close() }
            let authority = pool.options.tls?.authority(for: handle.endpoint.address)
            let connection = ClientConnection(io, loop: pool.loop, secureAuthority: authority) {
                [weak self] connection, event in self?.handle(event, of: connection)
            }
            connection.plan.keepalive = keepalive?.schedule
            connection.plan.limits.idle = pool.options.idleTimeout
            state = .handshaking(connection)
            connection.start(pool.options.settings, handshakeTimeout: pool.options.handshakeTimeout)
        }
    }

    private func connectFailed(_ failure: ConnectFailure) {
        if case .shutdown = state { return }
        failures += 1
        state = .backingOff(failure)
        tell(.transientFailure)
        let delay = pool.options.backoff.delay(failures: failures, unit: pool.loop.random.unit())
        pool.loop.schedule(retry, at: pool.loop.now.advanced(by: delay))
        let failed = waiting.filter { !$0.call.waitForReady }
        waiting.removeAll { !$0.call.waitForReady || $0.isEnded }
        for stream in failed { fail(stream, failure) }
    }

    // MARK: Connections

    private func handle(_ event: ClientConnection.Event, of connection: ClientConnection) {
        switch event {
        case .ready: becameReady(connection)
        case .draining: startDraining(connection)
        case .tooManyPings: keepalive?.slowDown()
        case .closed(let reason): closed(connection, reason)
        }
    }

    private func becameReady(_ connection: ClientConnection) {
        guard case .handshaking = state else { return }
        failures = 0
        state = .ready(connection)
        handle.connectionOpened()
        observer?.connectivityChanged(handle.endpoint, to: .ready)
        let streams = waiting
        waiting = []
        for stream in streams { submit(stream) }
    }

    private func startDraining(_ connection: ClientConnection) {
        draining.append(connection)
        leave(connection)
    }

    // A ready connection takes no more calls: the next call makes another.
    private func leave(_ connection: ClientConnection) {
        guard case .ready(let current) = state, current === connection else { return }
        state = .idle
        handle.connectionLost()
        observer?.connectivityChanged(handle.endpoint, to: .idle)
        if !waiting.isEmpty { connect() }
    }

    private func closed(_ connection: ClientConnection, _ reason: String) {
        draining.removeAll { $0 === connection }
        if case .handshaking(let current) = state, current === connection {
            return connectFailed(ConnectFailure(reason: "\(handle.endpoint.address): \(reason)"))
        }
        leave(connection)
    }

    // MARK: The end

    /// The endpoint left its service: calls in flight finish.
    func retire() {
        let connection = stop("the endpoint \(handle.endpoint.address) has left")
        connection?.drain("the endpoint has left")
    }

    /// Closes everything now: calls in flight fail.
    func close(_ reason: String) {
        let connection = stop(reason)
        connection?.close(reason)
        for connection in draining { connection.close(reason) }
    }

    // Returns the connection that there is. Its calls go on until the caller ends them.
    private func stop(_ reason: String) -> ClientConnection? {
        var current: ClientConnection?
        switch state {
        case .ready(let connection):
            handle.connectionLost()
            current = connection
        case .handshaking(let connection): current = connection
        default: break
        }
        state = .shutdown(reason)
        // A handle may be shared with another channel: only discovery's word ends it for both.
        tell(handle.isRetired ? .shutdown : .idle)
        dialing?.cancel()
        dialing = nil
        pool.loop.cancel(retry)
        let streams = waiting
        waiting = []
        for stream in streams { fail(stream, ConnectFailure(reason: reason)) }
        return current
    }
}
