// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Synchronization
import Testing

@testable import ApusTransport

/// How servers, channels and endpoints leave without losing a call.
@Suite(.timeLimit(.minutes(10))) struct GracefulStopTests {
    private static let calls = 50

    /// Starts calls that the service holds, and waits until all of them are there.
    private func heldCalls(_ channel: Channel, _ held: HeldService) async -> Task<[Result<String, RPCError>], Never> {
        let task = Task {
            await withTaskGroup { group in
                for index in 0..<Self.calls {
                    group.addTask { () async -> Result<String, RPCError> in
                        do throws(RPCError) {
                            return .success(
                                try await channel.unary(HeldService.hold, MessageBytes("\(index)")).message.text)
                        } catch {
                            return .failure(error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        await held.entered.wait()
        return task
    }

    @Test(arguments: Medium.allCases)
    func `a server that stops finishes the calls in flight and takes no others`(_ medium: Medium) async throws {
        let held = HeldService(expecting: Self.calls)
        let pair = try Pair(medium, serving: [held])
        let calls = await heldCalls(pair.channel, held)
        pair.running.active.beginDraining()
        // Until GOAWAY is here calls succeed; then nobody listens.
        while true {
            let outcome = await BadServerTests.outcome(pair.channel)
            if outcome == "hello" { continue }
            #expect(outcome.hasPrefix("UNAVAILABLE: connect \(pair.running.addresses[0]): "))
            break
        }
        #expect(pair.running.counts.handlers == Self.calls)
        held.leave.countDown()
        let results = await calls.value
        #expect(results.count == Self.calls)
        for result in results { #expect(throws: Never.self) { try result.get() } }
        await pair.running.stop(grace: .seconds(60))
        #expect(pair.running.counts.connections == 0 && pair.running.counts.handlers == 0)
    }

    @Test func `new calls go to the server that took over while the old one finishes its own`() async throws {
        let held = HeldService(expecting: Self.calls)
        let network = InMemoryNetwork()
        let old = try network.start(try Server([held, EchoService()]), as: "echo")
        let channel = Channel("echo", interceptors: [ToEndpoint(.memory("echo"))], transport: network.transport())
        let calls = await heldCalls(channel, held)
        old.active.beginDraining()
        let new = try network.start(try Server([EchoService()]), as: "echo")
        while new.counts.calls == 0 { #expect(await BadServerTests.outcome(channel) == "hello") }
        held.leave.countDown()
        for result in await calls.value { #expect(throws: Never.self) { try result.get() } }
        await old.stop(grace: .seconds(60))
        #expect(await BadServerTests.outcome(channel) == "hello")
        channel.close()
        await new.stop(grace: .seconds(60))
    }

    @Test(arguments: Medium.allCases)
    func `when the grace is over calls are cancelled`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        async let outcome = BadServerTests.outcome(pair.channel, EchoService.Methods.hang)
        try await pair.service.hung.wait()
        await pair.running.stop(grace: .zero)
        #expect(await outcome == "UNAVAILABLE: the connection was lost")
        try await pair.service.cancelled.wait()
        #expect(pair.running.counts.connections == 0)
    }

    @Test(arguments: Medium.allCases)
    func `an endpoint that retires finishes its calls and then its connection`(_ medium: Medium) async throws {
        let held = HeldService(expecting: Self.calls)
        let pair = try Pair(medium, serving: [held])
        let target = ToEndpoint(pair.running.addresses[0])
        let channel = pair.channel(target)
        let calls = await heldCalls(channel, held)
        target.handle.retire()
        held.leave.countDown()
        for result in await calls.value { #expect(throws: Never.self) { try result.get() } }
        await eventually { pair.running.counts.connections == 0 }
        await pair.close()
    }

    @Test(arguments: Medium.allCases)
    func `a closed channel fails the calls in flight and their handlers are cancelled`(_ medium: Medium) async throws {
        let pair = try Pair(medium)
        async let outcome = BadServerTests.outcome(pair.channel, EchoService.Methods.hang)
        try await pair.service.hung.wait()
        pair.channel.close()
        #expect(await outcome == "UNAVAILABLE: the connection was lost")
        try await pair.service.cancelled.wait()
        #expect(await BadServerTests.outcome(pair.channel) == "UNAVAILABLE: the channel is closed")
        await pair.close()
    }

    @Test func `a channel that is released closes its connections`() async throws {
        let pair = try Pair(.tcp)
        var channel: Channel? = Channel("echo", interceptors: [ToEndpoint(pair.running.addresses[0])])
        _ = try await channel?.unary(EchoService.Methods.echo, MessageBytes("x"))
        await eventually { pair.running.counts.connections == 1 }
        channel = nil
        await eventually { pair.running.counts.connections == 0 }
        await pair.close()
    }

    @Test(arguments: [false, true])
    func `a stop waits for sockets that linger, and at the grace's end closes them`(_ isForced: Bool) async throws {
        let refused = Latch()
        let stopped = Counter()
        var tls = ServerTLS(try TLSTestAuthority().issue(ip: ["127.0.0.1"]))
        let active = Mutex<ActiveServer?>(nil)
        // On the loop, when the client was refused: its socket lingers from then on.
        tls.onEvent = { _ in
            if let active = active.withLock({ $0 }) {
                stopped.add(active.state.withLock { $0.sockets.count })
                if isForced { active.stopNow() } else { active.beginDraining() }
            }
            refused.countDown()
        }
        var options = ServerOptions()
        options.tls = tls
        let running = try Server([EchoService()]).start(on: .host("127.0.0.1", port: 0), options: options)
        active.withLock { $0 = running.active }
        let address = running.addresses[0]
        let client = try await script {
            let client = try RawSocket(connectingTo: address)
            try client.send(Array("hello".utf8))
            return client
        }
        await refused.wait()
        await running.waitUntilStopped()
        #expect(stopped.value == 1)
        #expect(running.active.state.withLock { $0.sockets.isEmpty })
        active.withLock { $0 = nil }
        client.close()
    }

    @Test func `connections that wait when a server stops are told so, not reset`() async throws {
        let loops = try EventLoops(count: 1)
        var options = ServerOptions()
        options.eventLoops = loops
        let running = try Server([EchoService()]).start(on: .host("127.0.0.1", port: 0), options: options)
        let address = running.addresses[0]
        // The loop is held while a client connects and speaks: its connection waits in the backlog.
        let peer = try await script {
            try loops.loops[0].perform {
                running.active.beginDraining()
                return Result { try RawPeer.client(of: address) }
            }.get()
        }
        let goAway = try await script {
            while let frame = try peer.next() { if frame.kind == .goAway { return true } }
            return false
        }
        #expect(goAway)
        peer.socket.close()
        await running.stop(grace: .seconds(600))
    }

    // In processes of their own: a signal is the whole process'.
    @Test(arguments: [SIGTERM, SIGINT])
    func `serve() ends at SIGTERM and SIGINT, when the calls in flight have ended`(_ signal: Int32) async {
        await #expect(processExitsWith: .success) { [signal = signal as Int32] in
            let held = HeldService(expecting: 1)
            let answer = Mutex<Task<String, any Error>?>(nil)
            try await Server([held]).serve(on: .host("127.0.0.1", port: 0), grace: .seconds(600)) { running in
                let channel = Channel("held", interceptors: [ToEndpoint(running.addresses[0])])
                answer.withLock { task in
                    task = Task { try await channel.unary(HeldService.hold, MessageBytes("held")).message.text }
                }
                await held.entered.wait()
                kill(getpid(), signal)
            } stopping: {
                held.leave.countDown()
            }
            #expect(try await answer.withLock { $0 }?.value == "held")
        }
    }

    @Test func `a server that is released stops at once`() async throws {
        let service = EchoService()
        var running: RunningServer? = try Server([service]).start(on: .host("127.0.0.1", port: 0))
        let channel = Channel("echo", interceptors: [ToEndpoint(try #require(running).addresses[0])])
        async let outcome = BadServerTests.outcome(channel, EchoService.Methods.hang)
        try await service.hung.wait()
        running = nil
        #expect(await outcome == "UNAVAILABLE: the connection was lost")
        try await service.cancelled.wait()
    }

    // The server knows the client's SETTINGS.
    private static func handshake(_ peer: RawPeer) throws {
        while let frame = try peer.next() {
            if frame == .settingsAck { return }
        }
        throw RawSocket.Failure(what: "no handshake")
    }

    // The next frame that does not only open a window.
    private static func nextAfterCredit(_ peer: RawPeer) throws -> RawFrame? {
        while let frame = try peer.next() {
            if frame.kind != .windowUpdate { return frame }
        }
        return nil
    }

    @Test func `the client is asked whether it has read the notice after the notice`() async throws {
        let pair = try Pair(.tcp)
        let (address, running) = (pair.running.addresses[0], pair.running)
        let kinds = try await script { () -> [RawFrame.Kind?] in
            let peer = try RawPeer.client(of: address)
            try Self.handshake(peer)
            running.active.beginDraining()
            return [try Self.nextAfterCredit(peer)?.kind, try Self.nextAfterCredit(peer)?.kind]
        }
        #expect(kinds == [.goAway, .ping])
        await pair.close()
    }

    @Test func `a call that GOAWAY says was not processed is not processed`() async throws {
        let pair = try Pair(.tcp)
        let (address, running) = (pair.running.addresses[0], pair.running)
        let (last, answer) = try await script { () -> (UInt32?, RawPeer.Answer) in
            let peer = try RawPeer.client(of: address)
            try Self.handshake(peer)
            running.active.beginDraining()
            guard try Self.nextAfterCredit(peer)?.kind == .goAway, let ping = try peer.next(), ping.kind == .ping else {
                throw RawSocket.Failure(what: "no notice")
            }
            // With the answer to the PING, in one piece, comes a call that the notice was too late for.
            let acknowledgement = RawFrame(.ping, flags: RawFrame.ack, ping.payload)
            try peer.send([acknowledgement] + GuardTests.request(1, "/test.Echo/Echo"))
            var last: UInt32?
            var answer = RawPeer.Answer()
            while let frame = try peer.next() {
                if frame.kind == .goAway { last = frame.number() }
                if frame.kind == .rstStream { answer.reset = frame.number(at: 0) }
                if frame.kind == .headers { answer.hasEnded = true }
            }
            return (last, answer)
        }
        #expect(last == 0)
        #expect(!answer.hasEnded)
        #expect(running.counts.calls == 0)
        await pair.close()
    }
}
