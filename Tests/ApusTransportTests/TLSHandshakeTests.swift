// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import COpenSSL
import Testing

/// Handshakes with peers that are not ours, and the words for what goes wrong.
@Suite struct TLSHandshakeTests {
    let setup: SecureSetup
    let loop = ManualLoop()

    init() throws { setup = try SecureSetup() }

    private func server(with raw: RawTLS) throws -> SecureEnd {
        let server = try SecureEnd(TLSAcceptor(setup.server), on: loop)
        raw.shakeHands(with: server)
        return server
    }

    private func client(with raw: RawTLS) throws -> SecureEnd {
        let client = try SecureEnd(TLSConnector(setup.client), on: loop)
        raw.shakeHands(with: client)
        return client
    }

    @Test func `TLS 1.2 is spoken`() throws {
        let raw = try RawTLS(.init(maximum: TLS1_2_VERSION))
        let server = try server(with: raw)
        #expect(server.isEstablished && raw.version == "TLSv1.2")
        raw.write([1, 2, 3])
        server.wire.deliver(raw.takeOutput())
        #expect(server.recorder.received == [1, 2, 3])
    }

    @Test func `TLS 1.1 is refused by a server`() throws {
        let server = try server(with: RawTLS(.init(maximum: TLS1_1_VERSION)))
        #expect(server.failure == "the client has no version of TLS that is allowed here (1.2 or later)")
    }

    @Test func `TLS 1.1 is refused by a client`() throws {
        let certificate = setup.server.certificates[0]
        let client = try client(with: RawTLS(.init(maximum: TLS1_1_VERSION, certificate: certificate)))
        #expect(client.failure == "the server takes no version of TLS that this side has")
    }

    @Test func `TLS 1.2 is refused where 1.3 is asked for`() throws {
        var options = setup.server
        options.minimumVersion = .tls13
        let server = try SecureEnd(TLSAcceptor(options), on: loop)
        try RawTLS(.init(maximum: TLS1_2_VERSION)).shakeHands(with: server)
        #expect(server.failure == "the client has no version of TLS that is allowed here (1.2 or later)")
    }

    @Test func `a client without ALPN is refused`() throws {
        let server = try server(with: RawTLS(.init(offersHTTP2: false)))
        #expect(server.failure == "the client does not speak HTTP/2 (ALPN)")
    }

    @Test func `a server without ALPN is refused`() throws {
        let client = try client(with: RawTLS(.init(certificate: setup.server.certificates[0])))
        #expect(client.failure == "the server does not speak HTTP/2 (ALPN)")
    }

    @Test(
        arguments: [
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "the client speaks HTTP/2 without TLS, and this port with it"),
            ("GET / HTTP/1.1\r\n\r\n", "the client speaks plain HTTP/1, and this port TLS"),
            ("hello", "the client does not speak TLS"),
        ])
    func `a client without TLS gets an alert and is named`(_ text: String, _ reason: String) throws {
        let server = try SecureEnd(TLSAcceptor(setup.server), on: loop)
        server.wire.deliver(Array(text.utf8))
        #expect(server.failure == reason)
        #expect(server.wire.written.first == 21)
        // It may read that before the connection is reset.
        #expect(!server.wire.isClosed)
        server.wire.end("the peer closed the connection")
        #expect(server.wire.isClosed && loop.timerCount == 0)
    }

    @Test func `a server without TLS is named`() throws {
        let client = try SecureEnd(TLSConnector(setup.client), on: loop)
        client.wire.deliver([0, 0, 0, 4, 0, 0, 0, 0, 0])
        #expect(client.failure == "the server does not speak TLS")
        #expect(client.wire.isClosed)
    }

    @Test func `bytes that only begin like TLS end the handshake`() throws {
        let server = try SecureEnd(TLSAcceptor(setup.server), on: loop)
        server.wire.deliver([22, 3, 1, 0, 5, 9, 9, 9, 9, 9])
        #expect(server.failure?.hasPrefix("TLS failed: ") == true)
    }

    @Test func `a damaged first flight does no harm, wherever it is damaged`() throws {
        let acceptor = try TLSAcceptor(setup.server)
        let client = try SecureEnd(TLSConnector(setup.client), on: loop)
        let flight = client.wire.takeWritten()
        for index in flight.indices {
            var damaged = flight
            damaged[index] ^= 0xff
            let server = try SecureEnd(acceptor, on: loop)
            server.wire.deliver(damaged)
            #expect(!server.isEstablished)
            server.wire.end("the peer closed the connection")
            #expect(server.failure != nil && server.wire.isClosed)
        }
        #expect(flight.count > 200)
    }
}
