// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

/// TLS as a byte stream, without sockets and on a clock that stands still.
@Suite struct TLSStreamTests {
    let setup: SecureSetup
    let loop = ManualLoop()
    let connector: TLSConnector
    let acceptor: TLSAcceptor

    init() throws {
        setup = try SecureSetup()
        connector = try TLSConnector(setup.client)
        acceptor = try TLSAcceptor(setup.server)
    }

    private func connected(step: Int = .max) throws -> (client: SecureEnd, server: SecureEnd) {
        let client = try SecureEnd(connector, on: loop)
        let server = try SecureEnd(acceptor, on: loop)
        SecureEnd.relay(client, server, step: step)
        try #require(client.isEstablished && server.isEstablished)
        return (client, server)
    }

    @Test(arguments: [1, 7, 1000, Int.max])
    func `bytes pass both ways however they are cut`(_ step: Int) throws {
        let (client, server) = try connected(step: step)
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(client.write(bytes))
        #expect(server.write(Array(bytes.reversed())))
        SecureEnd.relay(client, server, step: step)
        #expect(server.recorder.received == bytes)
        #expect(client.recorder.received == Array(bytes.reversed()))
        #expect(loop.timerCount == 0)
    }

    @Test func `what is written in a turn leaves in one write, what arrives in a read is delivered once`() throws {
        let (client, server) = try connected()
        let before = client.wire.writes
        #expect(client.write([UInt8](repeating: 1, count: 60_000)))
        #expect(client.wire.writes == before + 1)
        SecureEnd.relay(client, server)
        #expect(server.recorder.deliveries == 1)
    }

    @Test func `a stream that is busy makes the writer wait, and nothing is lost or out of order`() throws {
        let (client, server) = try connected()
        client.wire.takesWrites = false
        #expect(!client.write([1, 2, 3]))
        SecureEnd.relay(client, server)
        #expect(client.recorder.drains == 0)
        client.wire.drain()
        #expect(client.recorder.drains == 1)
        #expect(client.write([4]))
        SecureEnd.relay(client, server)
        #expect(server.recorder.received == [1, 2, 3, 4])
    }

    @Test func `a paused reader gets everything when it goes on`() throws {
        let (client, server) = try connected()
        server.io.setReading(false)
        #expect(client.write([1, 2, 3]))
        SecureEnd.relay(client, server)
        #expect(server.recorder.received.isEmpty)
        #expect(!server.wire.isReading)
        server.io.setReading(true)
        #expect(server.recorder.received == [1, 2, 3])
        #expect(server.wire.isReading)
    }

    @Test func `a close is told to the peer`() throws {
        let (client, server) = try connected()
        client.io.close()
        #expect(client.wire.isClosed)
        SecureEnd.relay(client, server)
        #expect(server.recorder.endReason == "the peer closed the connection")
        #expect(server.wire.isClosed)
    }

    @Test func `a stream that was cut without close_notify is told as such`() throws {
        let (_, server) = try connected()
        server.wire.end("the peer closed the connection")
        #expect(
            server.recorder.endReason
                == "the peer closed the connection, without the end that TLS asks for (close_notify)")
    }

    @Test func `a forged byte ends the connection`() throws {
        let (client, server) = try connected()
        #expect(client.write([1, 2, 3]))
        var bytes = client.wire.takeWritten()
        bytes[bytes.count - 1] ^= 1
        server.wire.deliver(bytes)
        #expect(server.recorder.endReason == "TLS failed: decryption failed or bad record mac")
        #expect(server.recorder.received.isEmpty)
        #expect(server.wire.isClosed)
    }

    @Test func `nothing is left of connections that were closed`() throws {
        weak var left: (TLSIO)?
        weak var right: (TLSIO)?
        do {
            let (client, server) = try connected()
            left = client.io
            right = server.io
            client.io.close()
            SecureEnd.relay(client, server)
        }
        #expect(left == nil && right == nil)
        #expect(loop.timerCount == 0)
    }

    // MARK: Time

    @Test func `a handshake that stalls fails after its time, on both sides`() throws {
        let client = try SecureEnd(connector, on: loop)
        let server = try SecureEnd(acceptor, on: loop)
        server.wire.deliver(client.wire.takeWritten())
        loop.advance(by: .milliseconds(9999))
        #expect(client.failure == nil && server.failure == nil)
        loop.advance(by: .milliseconds(1))
        #expect(client.failure == "the server did not finish the TLS handshake in time")
        #expect(server.failure == "the client did not finish the TLS handshake in time")
        loop.advance(by: .seconds(2))
        #expect(client.wire.isClosed && server.wire.isClosed)
        #expect(loop.timerCount == 0)
    }

    @Test func `a client that leaves without a word is no failure`() throws {
        let server = try SecureEnd(acceptor, on: loop)
        server.wire.end("the peer closed the connection")
        #expect(server.hasLeft)
        #expect(loop.timerCount == 0)
    }

    @Test func `a peer that closes during the handshake is told as such`() throws {
        let client = try SecureEnd(connector, on: loop)
        client.wire.end("the peer closed the connection")
        #expect(client.failure == "the peer closed the connection during the TLS handshake")
    }

    // MARK: Turns

    @Test func `handshakes take turns, those who say nothing take none, and a line that is too long is refused`() throws
    {
        var options = setup.server
        options.maximumHandshakes = 1
        let acceptor = try TLSAcceptor(options)
        let silent = try SecureEnd(acceptor, on: loop)
        var pairs: [(client: SecureEnd, server: SecureEnd)] = []
        for _ in 0..<6 {
            let pair = (client: try SecureEnd(connector, on: loop), server: try SecureEnd(acceptor, on: loop))
            pair.server.wire.deliver(pair.client.wire.takeWritten())
            pairs.append(pair)
        }
        #expect(!pairs[0].server.wire.written.isEmpty)
        #expect(pairs[1...4].allSatisfy { $0.server.wire.written.isEmpty && !$0.server.wire.isReading })
        #expect(pairs[5].server.failure == "too many handshakes at once")
        for pair in pairs[...4] {
            SecureEnd.relay(pair.client, pair.server)
            loop.turn()
            #expect(pair.server.isEstablished)
        }
        #expect(!silent.hasLeft)
    }

    @Test func `a stalled handshake gives its turn back`() throws {
        var options = setup.server
        options.maximumHandshakes = 1
        let acceptor = try TLSAcceptor(options)
        let staller = try SecureEnd(connector, on: loop)
        let stalled = try SecureEnd(acceptor, on: loop)
        stalled.wire.deliver(staller.wire.takeWritten())
        loop.advance(by: .seconds(5))
        let client = try SecureEnd(connector, on: loop)
        let server = try SecureEnd(acceptor, on: loop)
        server.wire.deliver(client.wire.takeWritten())
        #expect(server.wire.written.isEmpty)
        loop.advance(by: .seconds(5))
        SecureEnd.relay(client, server)
        #expect(server.isEstablished)
    }

    // MARK: Floods

    private func flood(_ updates: Int) throws -> (RawTLS, SecureEnd) {
        let raw = try RawTLS()
        let server = try SecureEnd(acceptor, on: loop)
        raw.shakeHands(with: server)
        try #require(server.isEstablished)
        for _ in 0..<updates { raw.updateKeys() }
        server.wire.deliver(raw.takeOutput())
        return (raw, server)
    }

    @Test func `as many KeyUpdates as anybody needs are answered`() throws {
        let (raw, server) = try flood(32)
        raw.deliver(server.wire.takeWritten())
        raw.write([1, 2, 3])
        server.wire.deliver(raw.takeOutput())
        #expect(server.recorder.received == [1, 2, 3])
        loop.advance(by: .seconds(60))
        raw.updateKeys()
        server.wire.deliver(raw.takeOutput())
        #expect(server.recorder.endReason == nil)
    }

    @Test func `a flood of KeyUpdates ends the connection`() throws {
        let (_, server) = try flood(33)
        #expect(server.recorder.endReason == "the client sends KeyUpdate messages without end")
        #expect(server.wire.isClosed)
    }

    // MARK: Sessions

    @Test func `a second connection resumes the session of the first`() throws {
        let first = try connected()
        #expect(!first.client.io.isResumed)
        let second = try connected()
        #expect(second.client.io.isResumed && second.server.io.isResumed)
        #expect(second.client.io.version == "TLSv1.3")
    }

    @Test func `a session is not resumed under another name`() throws {
        _ = try connected()
        let client = try SecureEnd(connector, to: "echo", on: loop)
        let server = try SecureEnd(acceptor, on: loop)
        SecureEnd.relay(client, server)
        #expect(client.isEstablished && !client.io.isResumed)
    }
}
