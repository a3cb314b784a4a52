// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Synchronization
import Testing

/// What a server's observer hears of calls that end before they have a handler.
@Suite(.timeLimit(.minutes(5))) struct UnhandledCallTests {
    /// Keeps the ends of calls, in the order in which they came.
    private final class Ends: Observer {
        private struct State {
            var started = 0
            var ends: [String] = []
            var hasTimes = true
        }

        private let state = Mutex(State())

        var all: [String] { state.withLock { $0.ends } }
        var started: Int { state.withLock { $0.started } }
        var hasTimes: Bool { state.withLock { $0.hasTimes } }

        func serverCallStarted(_ call: ServerCall) { state.withLock { $0.started += 1 } }
        func serverCallEnded(_ call: ServerCall, error: RPCError?) {
            state.withLock { state in
                state.ends.append("\(call.method.name) \((error?.code ?? .ok).name)")
                state.hasTimes = state.hasTimes && call.record?.duration != nil
            }
        }
    }

    private let ends = Ends()

    private static func head(_ stream: UInt32, _ path: String, _ more: [(String, String)] = []) -> [RawFrame] {
        RawFrame.headers(
            stream,
            [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"), ("te", "trailers"),
                ("content-type", "application/grpc"),
            ] + more)
    }

    private static func request(_ stream: UInt32, _ path: String, _ more: [(String, String)] = []) -> [RawFrame] {
        head(stream, path, more) + [.data(stream, RawPeer.message([]), end: true)]
    }

    private static func synchronize(_ peer: RawPeer) throws {
        try peer.send(RawFrame(.ping, [0, 0, 0, 0, 0, 0, 0, 0]))
        while let frame = try peer.next(), frame.kind != .ping {}
    }

    private func start(_ services: [any Service] = [], _ options: ServerOptions = ServerOptions()) throws
        -> RunningServer
    {
        let server = try Server([EchoService()] + services, observer: ends)
        return try server.start(on: .host("127.0.0.1", port: 0), options: options)
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var fields: [(String, String)] = []
        let body: [UInt8]
        var ends = true
        let code: String
    }

    @Test(arguments: [
        Broken(
            testDescription: "a message too large", body: [0, 0, 64, 0, 1], ends: false, code: "RESOURCE_EXHAUSTED"),
        Broken(
            testDescription: "two messages", body: RawPeer.message([1]) + RawPeer.message([2]), code: "UNIMPLEMENTED"),
        Broken(testDescription: "no message", body: [], code: "UNIMPLEMENTED"),
        Broken(testDescription: "an end inside a message", body: [0, 0, 0, 0, 9, 1], code: "INTERNAL"),
        Broken(
            testDescription: "garbage that says it is compressed", fields: [("grpc-encoding", "gzip")],
            body: RawPeer.message([1, 2, 3], flag: 1), code: "INTERNAL"),
        Broken(
            testDescription: "a message that does not come in time", fields: [("grpc-timeout", "1m")],
            body: [0, 0, 0], ends: false, code: "DEADLINE_EXCEEDED"),
    ])
    func `a broken request is told of once, with its status and its time`(_ request: Broken) async throws {
        let running = try start()
        let answer = try await script {
            let peer = try RawPeer.client(of: running.addresses[0])
            try peer.send(
                Self.head(1, "/test.Echo/Echo", request.fields) + [.data(1, request.body, end: request.ends)])
            let answer = try peer.answer(to: 1)
            peer.socket.close()
            return answer.description
        }
        await running.stop(grace: .seconds(10))
        #expect(answer.hasPrefix(request.code))
        #expect(ends.all == ["Echo \(request.code)"])
        #expect(ends.started == 1)
        #expect(ends.hasTimes)
    }

    @Test func `calls that their client resets, or leaves with its connection, are cancelled ones`() async throws {
        let running = try start()
        try await script {
            let peer = try RawPeer.client(of: running.addresses[0])
            try peer.send(Self.head(1, "/test.Echo/Echo") + [RawFrame.rst(1, 8)])
            try Self.synchronize(peer)
            try peer.send(Self.head(3, "/test.Echo/Fail"))
            try Self.synchronize(peer)
            peer.socket.close()
        }
        await running.stop(grace: .seconds(10))
        #expect(ends.all == ["Echo CANCELLED", "Fail CANCELLED"])
        #expect(ends.started == 2)
    }

    @Test func `calls that wait for a slot in vain are told of`() async throws {
        let stubborn = StubbornService()
        var options = ServerOptions()
        options.maximumConcurrentStreams = 2
        options.handlerPatience = .milliseconds(200)
        // The peer acknowledges no SETTINGS.
        options.handshakeTimeout = .seconds(600)
        let running = try start([stubborn], options)
        let peer = try await script {
            let peer = try RawPeer.client(of: running.addresses[0])
            while let frame = try peer.next(), frame.kind != .settings {}
            try peer.send(.settingsAck)
            try peer.send(Self.request(1, "/test.Stubborn/Hold") + Self.request(3, "/test.Stubborn/Hold"))
            return peer
        }
        while running.counts.handlers < 2 { try await Task.sleep(for: .milliseconds(1)) }
        try await script {
            try peer.send(RawFrame.rst(1, 8), RawFrame.rst(3, 8))
            try Self.synchronize(peer)
            try peer.send(Self.request(5, "/test.Echo/Echo", [("grpc-timeout", "1m")]))
            #expect(try peer.answer(to: 5).description.hasPrefix("DEADLINE_EXCEEDED"))
            try peer.send(Self.request(7, "/test.Echo/Echo"))
            #expect(try peer.answer(to: 7).description == "RST_STREAM REFUSED_STREAM")
            peer.socket.close()
        }
        #expect(ends.all == ["Echo DEADLINE_EXCEEDED", "Echo UNAVAILABLE"])
        stubborn.letGo.open()
        await running.stop(grace: .seconds(10))
        #expect(ends.all.sorted().suffix(2) == ["Hold CANCELLED", "Hold CANCELLED"])
        #expect(ends.started == 4)
    }

    @Test func `a call with a handler is told of once, one that is refused at its headers is none`() async throws {
        let running = try start()
        try await script {
            let peer = try RawPeer.client(of: running.addresses[0])
            try peer.send(Self.request(1, "/test.Echo/Echo") + Self.request(3, "/test.Echo/Unknown"))
            #expect(try peer.answer(to: 1).description == "OK")
            try Self.synchronize(peer)
            peer.socket.close()
        }
        await running.stop(grace: .seconds(10))
        #expect(ends.all == ["Echo OK"])
        #expect(ends.started == 1)
    }
}
