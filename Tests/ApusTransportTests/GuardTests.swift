// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Hostile clients against a whole server over TCP. After each attack it serves a good client.
@Suite struct GuardTests {
    static func request(_ stream: UInt32, _ path: String) -> [RawFrame] {
        RawFrame.headers(
            stream,
            [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"), ("te", "trailers"),
                ("content-type", "application/grpc"),
            ]) + [.data(stream, RawPeer.message([]), end: true)]
    }

    /// Sends calls with something after each of them, as many as it can: the server closes in the middle.
    private func flood(_ peer: RawPeer, _ after: (UInt32) -> [RawFrame]) {
        var bytes: [UInt8] = []
        for index in 0..<5000 {
            let id = UInt32(index * 2 + 1)
            for frame in Self.request(id, "/test.Echo/Hang") + after(id) { bytes += frame.bytes }
        }
        try? peer.socket.send(bytes)
        while let frame = try? peer.next() { if frame.kind == .goAway { break } }
    }

    @Test func `a rapid reset ends its connection and starts few handlers`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        try await script {
            flood(try RawPeer.client(of: address)) { id in [RawFrame.rst(id, 8)] }
        }
        try await pair.expectGoodService()
        #expect(pair.running.counts.calls <= 250)
        await pair.close()
    }

    @Test func `who broke the rules reads why, whatever it sent meanwhile`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        let goAway = try await script {
            let peer = try RawPeer.client(of: address)
            // More than a socket's buffers hold: had the server closed at once, the rest would be met with a reset.
            let garbage = [UInt8](repeating: 0xff, count: 100_000)
            try peer.socket.send(garbage)
            while let frame = try peer.next() { if frame.kind == .goAway { return frame } }
            return RawFrame(.goAway, [])
        }
        #expect(goAway.number(at: 4) == 6)
        try await pair.expectGoodService()
        await pair.close()
    }

    @Test func `an offender's connection is closed when it has been held up, or when the server stops`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        let ends = try await script {
            let peer = try RawPeer.client(of: address)
            try peer.socket.send([UInt8](repeating: 0xff, count: 1000))
            while try peer.next() != nil {}
            return true
        }
        #expect(ends)
        let second = try await script {
            let peer = try RawPeer.client(of: address)
            try peer.socket.send([UInt8](repeating: 0xff, count: 1000))
            while let frame = try peer.next() { if frame.kind == .goAway { break } }
            return peer
        }
        await pair.close()
        #expect(try await script { try second.next() == nil })
    }

    @Test func `a peer that overflows its windows ends its connection and starts few handlers`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        try await script {
            flood(try RawPeer.client(of: address)) { id in
                [RawFrame(.windowUpdate, stream: id, RawFrame.bigEndian(0x7fff_ffff))]
            }
        }
        try await pair.expectGoodService()
        #expect(pair.running.counts.calls <= 250)
        await pair.close()
    }

    @Test func `the third ping without calls is answered with too_many_pings`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        let goAway = try await script {
            let peer = try RawPeer.client(of: address)
            let ping = RawFrame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])
            try peer.send(ping, ping, ping, ping)
            while let frame = try peer.next() {
                if frame.kind == .goAway { return frame }
            }
            return RawFrame(.goAway, [])
        }
        #expect(goAway.number(at: 4) == 0xb)
        #expect(String(decoding: goAway.payload.dropFirst(8), as: UTF8.self) == "too_many_pings")
        try await pair.expectGoodService()
        await pair.close()
    }

    @Test func `pings between calls are answered`() async throws {
        let pair = try Pair(.tcp)
        let address = pair.running.addresses[0]
        try await script {
            let peer = try RawPeer.client(of: address)
            for index in 0..<100 {
                let stream = UInt32(index * 2 + 1)
                try peer.send([RawFrame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])] + Self.request(stream, "/test.Echo/Echo"))
                let answer = try peer.answer(to: stream)
                #expect(answer.description == "OK")
            }
        }
        await pair.close()
    }

    /// Two slots, taken by calls that were cancelled and whose handlers do not notice.
    private func stubbornPair(_ service: StubbornService, patience: Duration) async throws -> (
        pair: Pair, peer: RawPeer
    ) {
        var options = ServerOptions()
        options.maximumConcurrentStreams = 2
        options.handlerPatience = patience
        // The peer acknowledges no SETTINGS.
        options.handshakeTimeout = .seconds(600)
        let pair = try Pair(.tcp, serving: [service], server: options)
        let address = pair.running.addresses[0]
        let peer = try await script {
            let peer = try RawPeer.client(of: address)
            // At once: whoever owes it is closed after 10 s, which a busy machine may need for what follows.
            while let frame = try peer.next(), frame.kind != .settings {}
            try peer.send(.settingsAck)
            try peer.send(Self.request(1, "/test.Stubborn/Hold") + Self.request(3, "/test.Stubborn/Hold"))
            return peer
        }
        while pair.running.counts.handlers < 2 { try await Task.sleep(for: .milliseconds(1)) }
        try await script {
            try peer.send(RawFrame.rst(1, 8), RawFrame.rst(3, 8), RawFrame(.ping, [0, 0, 0, 0, 0, 0, 0, 0]))
            // Once the ping is answered, the resets were seen.
            while let frame = try peer.next(), frame.kind != .ping {}
        }
        return (pair, peer)
    }

    @Test func `a call is refused while handlers of cancelled calls hold every slot`() async throws {
        let service = StubbornService()
        let (pair, peer) = try await stubbornPair(service, patience: .milliseconds(1))
        try await script {
            try peer.send(Self.request(5, "/test.Echo/Echo"))
            let answer = try peer.answer(to: 5)
            #expect(answer.description == "RST_STREAM REFUSED_STREAM")
            peer.socket.close()
        }
        #expect(pair.running.counts.calls == 2)
        service.letGo.open()
        await pair.close()
    }

    @Test func `a call waits for the slot of a handler that is about to leave`() async throws {
        let service = StubbornService()
        let (pair, peer) = try await stubbornPair(service, patience: .seconds(3600))
        try await script {
            try peer.send(Self.request(5, "/test.Echo/Echo"))
            service.letGo.open()
            let answer = try peer.answer(to: 5)
            #expect(answer.description == "OK")
            peer.socket.close()
        }
        await pair.close()
    }

    @Test func `storms of cancelled calls leave the other calls of their connection alone`() async throws {
        let pair = try Pair(.tcp)
        let chat = pair.channel.bidirectional(EchoService.Methods.chat)
        try await chat.requests.write(MessageBytes("start"))
        let responses = try await chat.responses()
        #expect(try await responses.next()?.text == "start")
        for round in 0..<2 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<90 {
                    group.addTask {
                        _ = try? await pair.channel.unary(EchoService.Methods.hang, MessageBytes(""))
                    }
                }
                while pair.running.counts.handlers <= 90 { try await Task.sleep(for: .milliseconds(1)) }
                group.cancelAll()
            }
            while pair.running.counts.handlers > 1 { try await Task.sleep(for: .milliseconds(1)) }
            try await chat.requests.write(MessageBytes("\(round)"))
            #expect(try await responses.next()?.text == "\(round)")
        }
        chat.requests.finish()
        #expect(try await responses.next() == nil)
        await pair.close()
    }

    @Test(arguments: [false, true])
    func `connections above the limit are closed, and there is room again when one has gone`(_ perPeer: Bool)
        async throws
    {
        var options = ServerOptions()
        if perPeer { options.maximumConnectionsPerPeer = 2 } else { options.maximumConnections = 2 }
        let pair = try Pair(.tcp, server: options)
        let address = pair.running.addresses[0]
        try await script {
            let first = try RawPeer.client(of: address)
            let second = try RawPeer.client(of: address)
            for (peer, id) in [(first, UInt32(1)), (second, 1)] {
                try peer.send(Self.request(id, "/test.Echo/Echo"))
                let answer = try peer.answer(to: id)
                #expect(answer.description == "OK")
            }
            let third = try RawPeer(RawSocket(connectingTo: address))
            #expect(try third.next() == nil)
            first.socket.close()
            // The server needs a moment to see the end of the first.
            while true {
                let fourth = try RawPeer(RawSocket(connectingTo: address))
                try? fourth.socket.send(RawPeer.preface + RawFrame.settings.bytes)
                if (try? fourth.next()) != nil { break }
            }
        }
        await pair.close()
    }

    @Test func `an old connection is replaced without a lost call`() async throws {
        var options = ServerOptions()
        options.maximumConnectionAge = .milliseconds(5)
        let pair = try Pair(.tcp, server: options)
        for index in 0..<2000 {
            let answer = try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("\(index)"))
            #expect(answer.message.text == "\(index)")
        }
        await pair.close()
    }

    @Test func `calls of an old connection are cut when its grace is over`() async throws {
        var options = ServerOptions()
        options.maximumConnectionAge = .milliseconds(20)
        options.maximumConnectionAgeGrace = .milliseconds(20)
        let pair = try Pair(.memory, server: options)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.hang, MessageBytes(""))
        }
        #expect(error?.code == .unavailable)
        try await pair.service.cancelled.wait()
        await pair.close()
    }

    @Test func `an idle client's connection is closed and made again for the next call`() async throws {
        var options = TransportOptions()
        options.idleTimeout = .milliseconds(5)
        let pair = try Pair(.memory, client: options)
        for _ in 0..<3 {
            _ = try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("x"))
            while pair.running.counts.connections > 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
        await pair.close()
    }

    @Test func `a server that does not answer keepalive pings is given up`() async {
        let client = PlayedClient { $0.keepalive = ClientKeepalive(interval: .seconds(10), timeout: .seconds(20)) }
        let call = await client.call()
        let server = client.accept()
        client.loop.advance(by: .seconds(10))
        client.loop.advance(by: .seconds(19))
        #expect(!call.isOver)
        client.loop.advance(by: .seconds(1))
        #expect(await call.error?.code == .unavailable)
        #expect(await call.error?.cause == "the peer did not answer a keepalive PING in time")
        #expect(server.frames(.ping) == 1)
    }

    @Test func `a client that is silent for too long is given up by the server`() async throws {
        var options = ServerOptions()
        options.keepaliveInterval = .milliseconds(10)
        options.keepaliveTimeout = .milliseconds(10)
        let pair = try Pair(.tcp, server: options)
        let address = pair.running.addresses[0]
        let pings = try await script {
            let peer = try RawPeer.client(of: address)
            var pings = 0
            while let frame = try peer.next() { if frame.kind == .ping { pings += 1 } }
            return pings
        }
        #expect(pings == 1)
        await pair.close()
    }

    #if os(Linux)
        // In a process of its own: a limit of descriptors is the whole process'.
        @Test func `a server without descriptors closes what it cannot serve and recovers`() async {
            await #expect(processExitsWith: .success) {
                var limit = rlimit(rlim_cur: 128, rlim_max: 128)
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                let running = try Server([EchoService()]).start(on: .host("127.0.0.1", port: 0))
                let good = try RawPeer.client(of: running.addresses[0])
                try GuardTests.expectEcho(good, 1)

                var spare: [Int32] = []
                while case let copy = dup(0), copy >= 0 { spare.append(copy) }
                var refused = 0
                while refused < 20 {
                    if let last = spare.popLast() { close(last) }
                    let poor = GuardTests.poorPeer(of: running.addresses[0])
                    // Served only if another thread gave a descriptor back just now.
                    let isServed = try poor.next() != nil
                    if !isServed { refused += 1 }
                    poor.socket.close()
                    // One for one, both ends of a connection: the server's reserve must find a descriptor too.
                    for _ in 0..<(isServed ? 2 : 1) { spare.append(GuardTests.copyOfInput()) }
                }
                try GuardTests.expectEcho(good, 3)

                for descriptor in spare { close(descriptor) }
                try GuardTests.expectEcho(try RawPeer.client(of: running.addresses[0]), 1)
                try GuardTests.expectEcho(good, 5)
            }
        }
    #endif

    // Swift's pool of threads looks into /proc when they are busy, and takes the only descriptor for a moment.
    private static func poorPeer(of address: Endpoint.Address) -> RawPeer {
        while true {
            if let socket = try? RawSocket(connectingTo: address) { return RawPeer(socket) }
            sched_yield()
        }
    }

    private static func copyOfInput() -> Int32 {
        while true {
            let copy = dup(0)
            if copy >= 0 { return copy }
            sched_yield()
        }
    }

    private static func expectEcho(_ peer: RawPeer, _ stream: UInt32) throws {
        try peer.send(request(stream, "/test.Echo/Echo"))
        try #require(try peer.answer(to: stream).description == "OK")
    }

    @Test func `intervals of keepalive under ten seconds are raised`() {
        #expect(ClientKeepalive(interval: .seconds(1)).interval == .seconds(10))
        #expect(ClientKeepalive(interval: .seconds(11)).interval == .seconds(11))
    }
}
