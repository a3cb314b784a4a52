// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Synchronization
import Testing

@testable import ApusTransport

/// What a process holds for slow peers, and what it does when that is too much.
@Suite(.timeLimit(.minutes(10))) struct BufferBudgetTests {
    // MARK: Accounts

    @Test func `small amounts are not counted, larger ones in steps, and everything is given back`() {
        let budget = BufferBudget(limit: 1 << 20)
        var account = BufferAccount(budget)
        for (bytes, charged) in [
            (8191, 0), (8192, 8192), (16_383, 8192), (16_384, 16_384), (17_000, 16_384), (16_384, 16_384),
            (16_383, 12_288), (100, 0), (1 << 19, 1 << 19), (0, 0),
        ] {
            account.hold(bytes)
            #expect(account.charged == charged && budget.held == charged, "\(bytes)")
        }
        account.hold(100_000)
        account.close()
        account.hold(200_000)
        #expect(budget.held == 0)
    }

    @Test func `who only gathers falls behind, and who goes on is ahead`() {
        let budget = BufferBudget(limit: 1 << 20)
        var (slow, quick, arriving) = (
            BufferAccount(budget), BufferAccount(budget), BufferAccount(budget, growsByProgress: true)
        )
        arriving.hold(10_000)
        slow.hold(10_000)
        quick.hold(30_000)
        slow.hold(50_000)
        #expect(slow.lastProgress < quick.lastProgress && arriving.lastProgress < slow.lastProgress)
        quick.hold(20_000)
        arriving.hold(50_000)
        #expect(slow.lastProgress < quick.lastProgress && quick.lastProgress < arriving.lastProgress)
        for account in [slow, quick, arriving] {
            var account = account
            account.close()
        }
        #expect(budget.held == 0)
    }

    @Test func `the relief ends the streams that went on least recently, as few as free enough`() {
        let candidates = [(100, 5), (200, 1), (300, 9), (400, 2)].map {
            BufferRelief.Candidate(bytes: $0, lastProgress: $1) {}
        }
        for (excess, chosen) in [
            (0, []), (1, [1]), (200, [1]), (201, [1, 2]), (601, [1, 2, 5]), (9999, [1, 2, 5, 9]),
        ] {
            #expect(BufferRelief.choose(candidates, toFree: excess).map { Int($0.lastProgress) } == chosen)
        }
    }

    // MARK: Whole servers

    /// A server with a budget of its own, and what clients do to it by hand.
    private struct Setup {
        let odd = OddService()
        let sink = SinkService()
        let events = EventRecorder()
        let budget: BufferBudget
        let running: RunningServer

        init(limit: Int) throws {
            budget = BufferBudget(limit: limit)
            var options = ServerOptions()
            options.bufferBudget = budget
            options.maximumRequestBytes = 4 << 20
            running = try Server([EchoService(), odd, sink], observer: events)
                .start(on: .host("127.0.0.1", port: 0), options: options)
        }

        var address: Endpoint.Address { running.addresses[0] }
        var ended: Int {
            events.all.reduce(0) { if case .buffersExceeded(_, _, let ended) = $1 { $0 + ended } else { $0 } }
        }

        func expectGoodService() async throws {
            let channel = Channel("echo", interceptors: [ToEndpoint(address)])
            let big = MessageBytes([UInt8](repeating: 7, count: 200_000))
            #expect(try await channel.unary(EchoService.Methods.echo, big).message == big)
            channel.close()
        }

        /// Everything is given back once its connections are closed.
        func stop() async {
            sink.letGo.countDown()
            await running.stop(grace: .zero)
            #expect(budget.held == 0)
        }
    }

    private static func head(_ stream: UInt32, _ path: String) -> [RawFrame] {
        RawFrame.headers(
            stream,
            [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"), ("te", "trailers"),
                ("content-type", "application/grpc"),
            ])
    }

    /// As many DATA frames as the bytes need.
    private static func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool = false) -> [RawFrame] {
        var rest = bytes[...]
        var frames: [RawFrame] = []
        repeat {
            let piece = Array(rest.prefix(16_384))
            rest = rest.dropFirst(16_384)
            frames.append(.data(stream, piece, end: end && rest.isEmpty))
        } while !rest.isEmpty
        return frames
    }

    @Test func `streams end when their clients do not read and all together hold too much`() async throws {
        let setup = try Setup(limit: 1 << 20)
        let address = setup.address
        // Each holds 64 KiB and a message when the client's window is used up.
        let trailers = try await script {
            let peer = try RawPeer.client(of: address)
            for stream in 0..<40 {
                let id = UInt32(2 * stream + 1)
                try peer.send(Self.head(id, "/test.Odd/Flood") + [.data(id, RawPeer.message([]), end: true)])
            }
            // The trailers pass although no window is open for what was dropped.
            let first = try peer.firstTrailers()
            peer.socket.close()
            return first
        }
        #expect(trailers["grpc-status"] == "8")
        #expect(
            trailers["grpc-message"] == "the server's buffers are full, and this call's were the slowest to empty")
        #expect(setup.ended > 0)
        try await setup.expectGoodService()
        await setup.stop()
    }

    @Test func `whole answers that nobody reads end too, and the budget is kept`() async throws {
        let setup = try Setup(limit: 4 << 20)
        let address = setup.address
        try await script {
            let peer = try RawPeer.client(of: address)
            let request = RawPeer.message([UInt8](repeating: 5, count: 1 << 20))
            for stream in 0..<10 {
                let id = UInt32(2 * stream + 1)
                try peer.send(Self.head(id, "/test.Echo/Echo"))
                try peer.sendInWindow(Self.data(id, request, end: true))
            }
            let first = try peer.firstTrailers()
            #expect(first["grpc-status"] == "8")
            peer.socket.close()
        }
        #expect(setup.ended > 0)
        await eventually { setup.budget.held <= setup.budget.limit }
        try await setup.expectGoodService()
        await setup.stop()
    }

    @Test func `requests that never become complete end`() async throws {
        let setup = try Setup(limit: 4 << 20)
        let address = setup.address
        try await script {
            let peer = try RawPeer.client(of: address)
            let part = Array(RawPeer.message([UInt8](repeating: 5, count: 2 << 20)).dropLast())
            for stream in 0..<6 {
                let id = UInt32(2 * stream + 1)
                try peer.send(Self.head(id, "/test.Echo/Echo"))
                // Windows open while a message is assembled.
                try peer.sendInWindow(Self.data(id, part))
            }
            let first = try peer.firstTrailers()
            #expect(first["grpc-status"] == "8")
            peer.socket.close()
        }
        #expect(setup.ended > 0)
        try await setup.expectGoodService()
        await setup.stop()
    }

    @Test func `messages that no handler takes end their streams`() async throws {
        let setup = try Setup(limit: 2 << 20)
        let address = setup.address
        try await script {
            let peers = try (0..<3).map { _ in try RawPeer.client(of: address) }
            let messages = (0..<100).flatMap { _ in RawPeer.message([UInt8](repeating: 5, count: 9_000)) }
            for (index, peer) in peers.enumerated() {
                try peer.send(Self.head(1, "/test.Sink/Ignore"))
                try peer.sendInWindow(Self.data(1, messages))
                // One after the other, so that the first is the one that waits for longest.
                while index < 2, setup.budget.held < (index + 1) * 890_000 { sched_yield() }
            }
            let first = try peers[0].answer(to: 1)
            #expect(first["grpc-status"] == "8")
            for peer in peers { peer.socket.close() }
        }
        #expect(setup.ended > 0)
        try await setup.expectGoodService()
        await setup.stop()
    }

    @Test func `a budget that is not exceeded ends nothing`() async throws {
        let setup = try Setup(limit: 64 << 20)
        let channel = Channel("odd", interceptors: [ToEndpoint(setup.address)])
        let stream = try await channel.serverStreaming(OddService.Methods.flood, MessageBytes(""))
        for _ in 0..<200 { #expect(try await stream.next()?.count == 8192) }
        for _ in 0..<20 { try await setup.expectGoodService() }
        stream.cancel()
        channel.close()
        #expect(setup.ended == 0)
        await setup.stop()
    }
}

/// A service that takes no message of its clients until a test lets it go.
struct SinkService: Service {
    private static let ignore = BytesMethod(service: "test.Sink", name: "Ignore", kind: .clientStreaming)

    let letGo = Latch()

    var routes: [Route] {
        [
            .clientStreaming(Self.ignore) { _, _ in
                await letGo.wait()
                return MessageBytes("")
            }
        ]
    }
}
