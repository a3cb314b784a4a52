// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusTransport

/// A server behind a proxy that says whose connections it passes on.
@Suite(.timeLimit(.minutes(10))) struct ProxyListenerTests {
    private let peers = PeerService()
    private let events = EventRecorder()

    private func serving(_ options: ServerOptions = ServerOptions()) throws -> RunningServer {
        var target = ListenTarget.address(.host("127.0.0.1", port: 0))
        target.expectsProxyHeader = true
        return try Server([peers], observer: events).start(listeningOn: [target], options: options)
    }

    /// Whom the handler sees in a connection that begins with these bytes.
    private func peer(
        _ running: RunningServer, _ header: [UInt8], step: Int = .max, options: TransportOptions = TransportOptions()
    ) async throws -> String {
        let proxy = try ProxyRelay(to: running.addresses[0], header: header, step: step)
        return try await peers.seen(by: proxy.address, options: options)
    }

    @Test func `handlers see the client that the proxy names`() async throws {
        let running = try serving()
        let line = ProxyBytes.line("TCP4 192.0.2.7 198.51.100.1 12345 443")
        #expect(try await peer(running, line) == "192.0.2.7:12345")
        let binary = ProxyBytes.binary(ProxyBytes.ipv6, family: 0x21, extensions: ProxyBytes.extensions)
        #expect(try await peer(running, binary) == "[2001:db8::9]:65535")
        await running.stop()
        #expect(running.counts == .init(calls: 2))
    }

    @Test func `a proxy's own connection keeps the socket's address`() async throws {
        let running = try serving()
        for header in [ProxyBytes.line("UNKNOWN"), ProxyBytes.binary([], family: 0, command: 0x20)] {
            #expect(try await peer(running, header).hasPrefix("127.0.0.1:"))
        }
        await running.stop()
    }

    @Test func `the header may come in single bytes`() async throws {
        let running = try serving()
        let header = ProxyBytes.binary(ProxyBytes.ipv4, family: 0x11)
        #expect(try await peer(running, header, step: 1) == "192.0.2.7:12345")
        await running.stop()
    }

    @Test func `TLS follows the header`() async throws {
        let authority = try TLSTestAuthority()
        var options = ServerOptions()
        options.tls = ServerTLS(try authority.issue(ip: ["127.0.0.1"]))
        var client = TransportOptions()
        client.tls = ClientTLS(roots: authority.roots)
        let running = try serving(options)
        let header = ProxyBytes.line("TCP4 192.0.2.7 198.51.100.1 12345 443")
        #expect(try await peer(running, header, options: client) == "192.0.2.7:12345")
        await running.stop()
        #expect(running.counts == .init(calls: 1))
    }

    @Test(arguments: [
        (RawPeer.preface, "the connection begins without a PROXY header"),
        (ProxyBytes.line("TCP4 here there 1 2"), "the PROXY header's line is malformed"),
        (ProxyBytes.line(String(repeating: "x", count: 101)), "the PROXY header is longer than 107 bytes"),
        (ProxyBytes.binary([], family: 0, size: 65_535), "the PROXY header is longer than 4096 bytes"),
    ])
    func `a connection with another beginning is closed and counted`(_ bytes: [UInt8], _ reason: String) async throws {
        let running = try serving()
        let address = running.addresses[0]
        try await script {
            let socket = try RawSocket(connectingTo: address)
            try socket.send(bytes)
            #expect(try socket.receiveAll() == [])
        }
        await eventually { !events.reasons.isEmpty }
        #expect(running.counts.refused == 1)
        #expect(events.reasons == [reason])
        await running.stop()
        #expect(running.counts == .init(refused: 1))
    }

    @Test func `a client that leaves within its header is counted`() async throws {
        let running = try serving()
        let address = running.addresses[0]
        try await script {
            let socket = try RawSocket(connectingTo: address)
            try socket.send(Array("PROXY TCP4".utf8))
            socket.close()
        }
        // Counted first, told then.
        await eventually { !events.reasons.isEmpty }
        #expect(running.counts.refused == 1)
        #expect(events.reasons == ["the peer closed the connection before its PROXY header"])
        await running.stop()
    }

    @Test func `a client that sends no header is closed after the handshake's time`() async throws {
        var options = ServerOptions()
        options.handshakeTimeout = .milliseconds(30)
        let running = try serving(options)
        let address = running.addresses[0]
        try await script {
            let socket = try RawSocket(connectingTo: address)
            try socket.send(Array("PROXY ".utf8))
            #expect(try socket.receiveAll() == [])
        }
        await eventually { !events.reasons.isEmpty }
        #expect(events.reasons == ["no PROXY header came within the handshake's time"])
        await running.stop()
    }

    @Test func `a server that stops waits for no header`() async throws {
        var options = ServerOptions()
        options.handshakeTimeout = .seconds(600)
        let running = try serving(options)
        let address = running.addresses[0]
        let socket = try await script { try RawSocket(connectingTo: address) }
        await eventually { running.counts.handshakes == 1 }
        await running.stop(grace: .seconds(600))
        #expect(running.counts == .init())
        #expect(try await script { try socket.receiveAll() } == [])
    }

    @Test func `the limit for each client counts the clients that the proxy names`() async throws {
        var options = ServerOptions()
        options.maximumConnectionsPerPeer = 1
        let running = try serving(options)
        let address = running.addresses[0]
        @Sendable func client(_ line: String) throws -> RawPeer {
            let peer = RawPeer(try RawSocket(connectingTo: address))
            try peer.socket.send(ProxyBytes.line(line) + RawPeer.preface + RawFrame.settings.bytes)
            return peer
        }
        try await script {
            let first = try client("TCP4 192.0.2.7 198.51.100.1 1 443")
            #expect(try first.next()?.kind == .settings)
            let other = try client("TCP4 192.0.2.8 198.51.100.1 1 443")
            #expect(try other.next()?.kind == .settings)
            let second = try client("TCP4 192.0.2.7 198.51.100.1 2 443")
            #expect(try second.next() == nil)
            first.socket.close()
            other.socket.close()
        }
        #expect(events.reasons == ["there are too many connections from its address"])
        await running.stop()
        #expect(running.counts == .init(refused: 1))
    }
}

/// Notes why connections were refused.
final class EventRecorder: Observer {
    private let events = Mutex<[ServerEvent]>([])

    func serverEvent(_ event: ServerEvent) { events.withLock { $0.append(event) } }

    var all: [ServerEvent] { events.withLock { $0 } }

    var reasons: [String] {
        all.compactMap { if case .connectionRefused(_, let reason) = $0 { reason } else { nil } }
    }
}

/// A proxy for one connection: it sends its header, then passes bytes on both ways until either side ends.
final class ProxyRelay: Sendable {
    private let listener: RawListener
    var address: Endpoint.Address { listener.address }

    init(to server: Endpoint.Address, header: [UInt8], step: Int) throws {
        let listener = try RawListener()
        self.listener = listener
        _ = Script {
            let client = try listener.accept()
            let upstream = try RawSocket(connectingTo: server)
            var rest = header[...]
            while !rest.isEmpty {
                try upstream.send(Array(rest.prefix(step)))
                rest = rest.dropFirst(step)
            }
            _ = Script { try client.pass(to: upstream) }
            try upstream.pass(to: client)
        }
    }
}
