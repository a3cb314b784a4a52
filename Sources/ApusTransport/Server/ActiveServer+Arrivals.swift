// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

// What a connection goes through before it is served: the limits, its PROXY header, its TLS handshake.

extension ActiveServer {
    /// Serves an accepted socket on the loop that is calling.
    func serve(_ socket: UVStreamIO, expectsProxyHeader: Bool) {
        let isForced = state.withLock { state in
            state.sockets[ObjectIdentifier(socket)] = socket
            return state.isForced
        }
        socket.whenClosed = { [unowned socket] in
            self.state.withLock { $0.sockets[ObjectIdentifier(socket)] = nil }
            self.finishIfEmpty()
        }
        serve(socket as any ConnectionIO, on: socket.loop, expectsProxyHeader: expectsProxyHeader)
        if isForced { socket.abort("the server stops") }
    }

    /// Serves a connection on the loop that is calling.
    func serve(_ io: any ConnectionIO, on loop: any EventLoop, expectsProxyHeader: Bool = false) {
        guard state.withLock({ $0.limit.admit() }) else {
            balance.connectionClosed(on: loop)
            refused(io.peer, "there are too many connections")
            return io.close()
        }
        if expectsProxyHeader { readProxyHeader(of: io, on: loop) } else { identified(io, on: loop) }
    }

    // Who the client is stands now.
    private func identified(_ io: any ConnectionIO, on loop: any EventLoop) {
        guard state.withLock({ $0.limit.admit(io.peer) }) else {
            refused(io.peer, "there are too many connections from its address")
            io.close()
            return gone(nil, on: loop)
        }
        guard let tls else { return open(io, on: loop) }
        do throws(RPCError) {
            secure(try tls.accept(io, on: loop), tls, on: loop)
        } catch {
            refused(io.peer, error.message)
            io.close()
            gone(io.peer, on: loop)
        }
    }

    /// A connection that was counted is over; without a peer, nobody knows whose it was.
    func gone(_ peer: Endpoint.Address?, on loop: any EventLoop) {
        balance.connectionClosed(on: loop)
        state.withLock { state in
            state.limit.left()
            if let peer { state.limit.left(peer) }
        }
        finishIfEmpty()
    }

    private func refused(_ peer: Endpoint.Address, _ reason: String) {
        state.withLock { $0.refused += 1 }
        server.observer?.serverEvent(.connectionRefused(peer: peer, reason: reason))
    }

    // MARK: Handshakes

    private func readProxyHeader(of io: any ConnectionIO, on loop: any EventLoop) {
        let proxy = ProxyIO(io, loop: loop)
        begin(Handshake(io: proxy, loop: loop)) {
            proxy.handshake(within: options.handshakeTimeout) { [unowned proxy] problem in
                // The next step first: at no moment does the connection seem to be gone.
                if let problem { self.refused(proxy.peer, problem) } else { self.identified(proxy, on: loop) }
                guard self.end(proxy), problem != nil else { return }
                self.gone(nil, on: loop)
            }
        }
    }

    private func secure(_ io: TLSIO, _ tls: TLSAcceptor, on loop: any EventLoop) {
        begin(Handshake(io: io, loop: loop)) {
            tls.handshake(io) { [unowned io] established in
                if established { self.open(io, on: loop) } else { self.state.withLock { $0.refused += 1 } }
                guard self.end(io), !established else { return }
                self.gone(io.peer, on: loop)
            }
        }
    }

    private func begin(_ handshake: Handshake, _ start: () -> Void) {
        let late = state.withLock { state in
            state.handshakes[ObjectIdentifier(handshake.io)] = handshake
            return state.isStopping
        }
        if late { abandon(handshake) } else { start() }
    }

    // Whether it was going on.
    private func end(_ io: any ConnectionIO) -> Bool {
        state.withLock { $0.handshakes.removeValue(forKey: ObjectIdentifier(io)) != nil }
    }

    /// Ends a handshake because the server stops. No call is on such a connection: its client makes another elsewhere.
    func abandon(_ handshake: Handshake) {
        guard end(handshake.io) else { return }
        handshake.io.close()
        gone(handshake.io is ProxyIO ? nil : handshake.io.peer, on: handshake.loop)
    }
}
