// SPDX-License-Identifier: Apache-2.0

import ApusInterceptors
import ApusTransport
import Testing

@testable import ApusCore

/// How a client behaves towards a server that a script plays: what it sends, when it tries again, how long it waits.
@Suite struct ScriptedServerTests {
    private static let head = [(":status", "200"), ("content-type", "application/grpc")]

    private static func answer(_ stream: UInt32) -> [RawFrame] {
        RawFrame.headers(stream, head) + [.data(stream, RawPeer.message(Array("fine".utf8)))]
            + RawFrame.headers(stream, [("grpc-status", "0")], end: true)
    }

    private static func channel(_ listener: RawListener) -> Channel { BadServerTests.channel(listener) }

    @Test func `a call that was refused is tried once more`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let served = Script {
            let peer = try RawPeer.server(on: listener)
            try peer.send(.rst(try peer.request(), 7))
            try peer.send(Self.answer(try peer.request()))
            while try peer.next() != nil {}
        }
        let outcome = await BadServerTests.outcome(channel)
        #expect(outcome == "fine")
        channel.close()
        try await served.value
    }

    /// Calls that may be tried again, without a wait.
    private static func retrying(_ listener: RawListener) -> Channel {
        var options = TransportOptions()
        options.handshakeTimeout = .seconds(600)
        let retry = Retry(.exponential(maxAttempts: 3, initial: .zero, maximum: .zero))
        return Channel("echo", interceptors: [retry, ToEndpoint(listener.address)], options: options)
    }

    @Test func `a status that comes alone is tried again`() async throws {
        let listener = try RawListener()
        let channel = Self.retrying(listener)
        let served = Script {
            let peer = try RawPeer.server(on: listener)
            let alone = Self.head + [("grpc-status", "14")]
            try peer.send(RawFrame.headers(try peer.request(), alone, end: true))
            try peer.send(Self.answer(try peer.request()))
            while try peer.next() != nil {}
        }
        #expect(await BadServerTests.outcome(channel) == "fine")
        channel.close()
        try await served.value
    }

    @Test func `a call is committed once its response's head is there`() async throws {
        let listener = try RawListener()
        let channel = Self.retrying(listener)
        let served = Script {
            let peer = try RawPeer.server(on: listener)
            let stream = try peer.request()
            try peer.send(RawFrame.headers(stream, Self.head))
            try peer.send(RawFrame.headers(stream, [("grpc-status", "14"), ("grpc-message", "late")], end: true))
            // Whoever tries again learns something else.
            while let frame = try peer.nextOfStreams() {
                if frame.kind == .headers { try peer.send(.rst(frame.stream, 2)) }
            }
        }
        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        }
        #expect(error?.status == Status(.unavailable, "late"))
        #expect(error?.progress == .answered)
        #expect(error?.notes == ["attempt 1 of 3", "its response had begun"])
        channel.close()
        try await served.value
    }

    @Test func `an answer that is not gRPC and never ends is not waited for`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let reset = Script {
            let peer = try RawPeer.server(on: listener)
            let stream = try peer.request()
            try peer.send(RawFrame.headers(stream, [(":status", "502"), ("content-type", "text/plain")]))
            try peer.send(.data(stream, Array("bad".utf8)))
            return try peer.nextOfStreams()
        }
        let text = "not a gRPC response: HTTP status 502, content-type \"text/plain\", body \"bad\""
        #expect(await BadServerTests.outcome(channel) == "UNAVAILABLE: \(text)")
        #expect(try await reset.value == .rst(1, 8))
        channel.close()
    }

    @Test func `trailers are there when the last message was read, not before`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let served = Script {
            let peer = try RawPeer.server(on: listener)
            let stream = try peer.request()
            try peer.send(
                RawFrame.headers(stream, Self.head) + [.data(stream, RawPeer.message([1]))]
                    + RawFrame.headers(stream, [("grpc-status", "0"), ("x-end", "1")], end: true))
            while try peer.next() != nil {}
        }
        let ended = Latch()
        let stream = try await channel.serverStreaming(EchoService.Methods.repeatTimes, MessageBytes([1]))
        stream.source.onEnd { _ in ended.countDown() }
        await ended.wait()
        #expect(stream.trailers.isEmpty)
        #expect(try await stream.next()?.bytes == [1])
        #expect(stream.trailers.isEmpty)
        #expect(try await stream.next() == nil)
        #expect(stream.trailers["x-end"] == "1")
        channel.close()
        try await served.value
    }

    @Test func `a call that is refused twice is UNAVAILABLE`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let served = Script {
            let peer = try RawPeer.server(on: listener)
            for _ in 0..<2 { try peer.send(.rst(try peer.request(), 7)) }
            while try peer.next() != nil {}
        }
        let outcome = await BadServerTests.outcome(channel)
        #expect(outcome == "UNAVAILABLE: the server reset the call with REFUSED_STREAM")
        channel.close()
        try await served.value
    }

    @Test func `a call above GOAWAY's last stream goes to another connection`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let served = Script {
            let first = try RawPeer.server(on: listener)
            _ = try first.request()
            try first.send(.goAway(last: 0, 0, "bye"))
            let second = try RawPeer.server(on: listener)
            try second.send(Self.answer(try second.request()))
            while try second.next() != nil {}
        }
        let outcome = await BadServerTests.outcome(channel)
        #expect(outcome == "fine")
        channel.close()
        try await served.value
    }

    @Test func `calls after GOAWAY go to another connection, calls before it finish on theirs`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let told = Gate()
        let served = Script {
            let first = try RawPeer.server(on: listener)
            let stream = try first.request()
            try first.send(RawFrame.headers(stream, Self.head) + [.goAway(last: stream, 0)])
            told.open()
            let second = try RawPeer.server(on: listener)
            try second.send(Self.answer(try second.request()))
            try first.send(
                [.data(stream, RawPeer.message([1]))] + RawFrame.headers(stream, [("grpc-status", "0")], end: true))
            // The client closes what it has drained; the other connection stays.
            while try first.next() != nil {}
            while try second.next() != nil {}
        }
        let early = try await channel.serverStreaming(EchoService.Methods.repeatTimes, MessageBytes([1]))
        try await told.wait()
        let outcome = await BadServerTests.outcome(channel)
        #expect(outcome == "fine")
        #expect(try await early.next()?.bytes == [1])
        #expect(try await early.next() == nil)
        channel.close()
        try await served.value
    }

    @Test func `a head that says how the call ended is believed, and its stream stopped`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let reset = Script {
            let peer = try RawPeer.server(on: listener)
            let stream = try peer.request()
            try peer.send(RawFrame.headers(stream, Self.head + [("grpc-status", "5")]))
            return try peer.nextOfStreams()
        }
        let outcome = await BadServerTests.outcome(channel)
        #expect(outcome == "NOT_FOUND")
        #expect(try await reset.value == .rst(1, 8))
        channel.close()
    }

    @Test func `a server that ends early is told to expect no more, without an error`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let reset = Script { () -> RawFrame? in
            let peer = try RawPeer.server(on: listener)
            while let frame = try peer.nextOfStreams(), frame.kind != .headers {}
            try peer.send(RawFrame.headers(1, Self.head + [("grpc-status", "8")], end: true))
            while let frame = try peer.nextOfStreams() {
                if frame.kind == .rstStream { return frame }
            }
            return nil
        }
        let call = channel.clientStreaming(EchoService.Methods.count)
        try? await call.requests.write(MessageBytes("x"))
        let error = await #expect(throws: RPCError.self) { try await call.response() }
        #expect(error?.code == .resourceExhausted)
        #expect(try await reset.value == .rst(1, 0))
        channel.close()
    }

    @Test func `a request that has ended is not reset when its answer comes`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let arrived = Gate()
        let kinds = Script { () -> [RawFrame.Kind?] in
            let peer = try RawPeer.server(on: listener)
            while let frame = try peer.nextOfStreams(), frame.kind != .data {}
            arrived.open()
            try peer.send(Self.answer(try peer.request()))
            var kinds: [RawFrame.Kind?] = []
            while let frame = try peer.nextOfStreams() { kinds.append(frame.kind) }
            return kinds
        }
        // The end comes alone, in an empty DATA frame behind the last message.
        let call = channel.clientStreaming(EchoService.Methods.count)
        try await call.requests.write(MessageBytes("x"))
        try await arrived.wait()
        call.requests.finish()
        #expect(try await call.response().message.text == "fine")
        channel.close()
        #expect(try await kinds.value.contains(.rstStream) == false)
    }

    @Test func `a deadline counts while a server that never answers is waited for`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(
                EchoService.Methods.echo, MessageBytes("hello"), options: CallOptions(timeout: .milliseconds(30)))
        }
        #expect(error?.status == Status(.deadlineExceeded, "deadline exceeded while waiting for a connection"))
        #expect(error?.progress == .notConnected)
        channel.close()
    }

    @Test func `a server that accepts and says nothing is UNAVAILABLE after the handshake's time`() async throws {
        let listener = try RawListener()
        var options = TransportOptions()
        options.handshakeTimeout = .milliseconds(30)
        let channel = Channel("echo", interceptors: [ToEndpoint(listener.address)], options: options)
        let text = "the peer did not speak HTTP/2 within the handshake's time"
        let outcome = await BadServerTests.outcome(channel)
        #expect(outcome == "UNAVAILABLE: \(listener.address): \(text)")
        channel.close()
    }

    @Test func `a server that breaks HTTP/2 is told as such`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        let served = Script {
            let peer = try RawPeer.server(on: listener)
            // No server may push to a client that has forbidden it.
            try peer.send(RawFrame(.pushPromise, flags: RawFrame.endHeaders, stream: 1, [0, 0, 0, 2]))
            _ = try peer.socket.receiveAll()
        }
        // The connection ends before or after the call got onto it: each tells why.
        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.hasPrefix("UNAVAILABLE"), "\(text)")
        #expect(text.contains("the peer broke HTTP/2: PUSH_PROMISE, which was disabled"), "\(text)")
        channel.close()
        try await served.value
    }

    @Test func `a closed channel fails calls that wait for a connection`() async throws {
        let listener = try RawListener()
        let channel = Self.channel(listener)
        async let answer = BadServerTests.outcome(channel)
        let socket = try await script { try listener.accept() }
        channel.close()
        let outcome = await answer
        #expect(outcome == "UNAVAILABLE: the channel is closed")
        _ = try await script { try socket.receiveAll() }
    }

    @Test func `metadata that no frame can carry fails its call and no other`() async throws {
        let pair = try Pair(.tcp)
        let options = CallOptions(metadata: ["x-big": String(repeating: "x", count: 100_000)])
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("hello"), options: options)
        }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.progress == .notConnected)
        try await pair.expectGoodService()
        await pair.close()
    }
}
