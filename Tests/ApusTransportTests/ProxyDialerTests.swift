// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import Testing

@testable import ApusTransport

/// How a tunnel is made, byte by byte.
@Suite struct ProxyDialerTests {
    private let loop = ManualLoop()
    private let inner = PlayedDialer()
    private let wire = ScriptedIO()
    private let outcome = Outcome()
    private let target = Endpoint.Address.host("db.test", port: 443)

    private final class Outcome: @unchecked Sendable {
        var results: [Result<any ConnectionIO, ConnectFailure>] = []

        var reason: String? {
            guard results.count == 1, case .failure(let failure) = results[0] else { return nil }
            return failure.reason
        }

        var socket: (any ConnectionIO)? { results.count == 1 ? try? results[0].get() : nil }
    }

    private func dial(_ address: Endpoint.Address? = nil, credentials: String? = nil) throws -> any Dialing {
        let proxy = HTTPProxy(host: "proxy.test", port: 3128, credentials: credentials)
        let choice = try #require(ProxyChoice(.through(proxy)))
        let outcome = outcome
        return ProxyDialer(inner: inner, choice: choice, timeout: .seconds(20))
            .dial(address ?? target, on: loop) { outcome.results.append($0) }
    }

    private let failed = "connect db.test:443 through the proxy http://proxy.test:3128: "

    @Test func `the proxy is connected to, asked for the target by name, and its answer waited for`() throws {
        let dialing = try dial(credentials: "me:secret")
        #expect(inner.open.map(\.address) == [.host("proxy.test", port: 3128)])
        inner.answer(.success(wire))
        let request = String(decoding: wire.takeWritten(), as: UTF8.self)
        #expect(request.hasPrefix("CONNECT db.test:443 HTTP/1.1\r\n"))
        #expect(request.contains("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"))
        wire.deliver(Array("HTTP/1.1 200 OK\r\n\r".utf8), step: 1)
        #expect(outcome.results.isEmpty)
        wire.deliver([10])
        #expect(outcome.socket === wire)
        #expect(loop.timerCount == 0 && !wire.isReading)
        dialing.cancel()
        #expect(!wire.isClosed)
    }

    @Test func `bytes that came with the answer are the connection's first`() throws {
        let dialing = try dial()
        inner.answer(.success(wire))
        wire.deliver(Array("HTTP/1.1 200 OK\r\n\r\nfirst".utf8))
        let tunnel = try #require(outcome.socket)
        let recorder = StreamRecorder()
        tunnel.start(recorder)
        #expect(recorder.received.isEmpty)
        tunnel.setReading(false)
        loop.turn()
        #expect(recorder.received.isEmpty && !wire.isReading)
        tunnel.setReading(true)
        loop.turn()
        #expect(wire.isReading)
        wire.deliver(Array(" second".utf8))
        #expect(String(decoding: recorder.received, as: UTF8.self) == "first second")
        wire.end("gone")
        #expect(recorder.endReason == "gone")
        dialing.cancel()
    }

    @Test func `a tunnel that is closed delivers nothing more`() throws {
        let dialing = try dial()
        inner.answer(.success(wire))
        wire.deliver(Array("HTTP/1.1 200 OK\r\n\r\nfirst".utf8))
        let tunnel = try #require(outcome.socket)
        let recorder = StreamRecorder()
        tunnel.start(recorder)
        tunnel.close()
        loop.turn()
        #expect(recorder.received.isEmpty && wire.isClosed)
        dialing.cancel()
    }

    @Test(arguments: [
        ("HTTP/1.1 407 Authenticate\r\n\r\n", "407 Authenticate"), ("SSH-2.0", "its answer is not HTTP/1.1"),
    ])
    func `a proxy that refuses is closed, and what it said is told`(_ answer: String, _ reason: String) throws {
        let dialing = try dial(credentials: "me:secret")
        inner.answer(.success(wire))
        wire.deliver(Array(answer.utf8))
        #expect(outcome.reason == failed + reason)
        #expect(wire.isClosed && loop.timerCount == 0)
        dialing.cancel()
    }

    @Test func `a proxy that cannot be reached, hangs up or says nothing is told`() throws {
        for (index, reason) in ["no route", "the peer closed the connection", "it gave no answer in time"].enumerated()
        {
            let outcome = Outcome()
            let wire = ScriptedIO()
            let choice = try #require(ProxyChoice(.through(HTTPProxy(host: "proxy.test", port: 3128))))
            let dialing = ProxyDialer(inner: inner, choice: choice, timeout: .seconds(20))
                .dial(target, on: loop) { outcome.results.append($0) }
            if index == 0 {
                inner.answer(.failure(ConnectFailure(reason: reason)))
            } else {
                inner.answer(.success(wire))
                if index == 1 { wire.end(reason) } else { loop.advance(by: .seconds(20)) }
                #expect(wire.isClosed)
            }
            #expect(outcome.reason == failed + reason)
            #expect(loop.timerCount == 0)
            dialing.cancel()
        }
    }

    @Test func `who gives up gets no answer`() throws {
        try dial().cancel()
        #expect(inner.dials[0].isCancelled)
        let second = try dial()
        inner.answer(.success(wire))
        second.cancel()
        #expect(wire.isClosed && loop.timerCount == 0)
        #expect(outcome.results.isEmpty)
    }

    @Test func `sockets that are no TCP are not tunnelled`() throws {
        let dialings = [try dial(.unix(path: "/x")), try dial(.memory("x"))]
        #expect(inner.open.map(\.address) == [.unix(path: "/x"), .memory("x")])
        for dialing in dialings { dialing.cancel() }
    }

    @Test(arguments: ["a b", "a\r\nx: y", "a/b", "me@a", "b\u{e9}"])
    func `a host that would break the request is refused`(_ host: String) throws {
        let dialing = try dial(.host(host, port: 1))
        #expect(outcome.reason?.hasSuffix("no proxy can be asked for this name") == true)
        #expect(inner.dials.isEmpty)
        dialing.cancel()
    }

    // MARK: With sockets

    @Test(arguments: [false, true])
    func `calls pass through a proxy, with TLS inside of the tunnel`(_ secure: Bool) async throws {
        let setup = try SecureSetup()
        var serverOptions = ServerOptions()
        if secure { serverOptions.tls = setup.server }
        let running = try Server([EchoService()]).start(on: .host("127.0.0.1", port: 0), options: serverOptions)
        let proxy = try ScriptedProxy(to: running.addresses[0])
        var options = TransportOptions()
        options.proxy = .through(proxy.setting)
        if secure { options.tls = setup.client }
        // No resolver knows this name.
        let channel = Channel("echo", interceptors: [ToEndpoint(.host("echo", port: 4711))], options: options)
        let big = MessageBytes([UInt8](repeating: 7, count: 1 << 20))
        for message in [MessageBytes("through"), big] {
            #expect(try await channel.unary(EchoService.Methods.echo, message).message == message)
        }
        let head = try await proxy.head.value
        #expect(head.hasPrefix("CONNECT echo:4711 HTTP/1.1\r\nHost: echo:4711\r\n"))
        channel.close()
        await running.stop()
        #expect(running.counts.connections == 0)
    }
}

/// A proxy for one connection, which leads to one server whatever it is asked for.
final class ScriptedProxy: Sendable {
    let setting: HTTPProxy
    /// The head of the request that it got.
    let head: Script<String>

    init(to server: Endpoint.Address) throws {
        let listener = try RawListener()
        guard case .host(let host, let port) = listener.address else { throw RawSocket.Failure(what: "not TCP") }
        setting = HTTPProxy(host: host, port: port)
        head = Script {
            let client = try listener.accept()
            var head: [UInt8] = []
            while !head.suffix(4).elementsEqual([13, 10, 13, 10]), let byte = try client.receive(1) { head += byte }
            let target = try RawSocket(connectingTo: server)
            try client.send(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8))
            _ = Script { try Self.relay(client, target) }
            _ = Script { try Self.relay(target, client) }
            return String(decoding: head, as: UTF8.self)
        }
    }

    private static func relay(_ source: RawSocket, _ sink: RawSocket) throws {
        while let bytes = try source.receiveSome(atMost: 64 << 10) { try sink.send(bytes) }
        sink.endSending()
    }
}
