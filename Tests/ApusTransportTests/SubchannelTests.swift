// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

/// Connections that fail, wait, and come back.
@Suite(.timeLimit(.minutes(10))) struct SubchannelTests {
    private let network = InMemoryNetwork()
    private let target = ToEndpoint(.memory("echo"))
    private let channel: Channel

    init() {
        var options = TransportOptions()
        options.backoff.initial = .milliseconds(1)
        options.backoff.maximum = .milliseconds(2)
        options.eventLoops = try? EventLoops(count: 1)
        channel = Channel("echo", interceptors: [target], transport: network.transport(options: options))
    }

    @Test func `without a server calls fail at once, and say why`() async {
        let text = "UNAVAILABLE: connect memory:echo: nobody serves it in this network"
        for _ in 0..<3 { #expect(await BadServerTests.outcome(channel) == text) }
        #expect(target.handle.connectivity == .transientFailure || target.handle.connectivity == .connecting)
    }

    @Test func `a call that waits for ready is answered when the server comes`() async throws {
        let channel = channel
        let waiting = Task {
            try await channel.unary(
                EchoService.Methods.echo, MessageBytes("patience"), options: CallOptions(waitForReady: true))
        }
        await eventually { target.handle.connectivity != .idle }
        let running = try network.start(try Server([EchoService()]), as: "echo")
        #expect(try await waiting.value.message.text == "patience")
        #expect(target.handle.connectivity == .ready)
        await running.stop()
    }

    @Test func `a call that waits for ready still has its deadline`() async {
        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(
                EchoService.Methods.echo, MessageBytes(""),
                options: CallOptions(timeout: .milliseconds(20), waitForReady: true))
        }
        #expect(error?.status == Status(.deadlineExceeded, "deadline exceeded while waiting for a connection"))
    }

    @Test func `a call that waits for ready can be cancelled`() async {
        let channel = channel
        let waiting = Task {
            try await channel.unary(
                EchoService.Methods.echo, MessageBytes(""), options: CallOptions(waitForReady: true))
        }
        await eventually { target.handle.connectivity != .idle }
        waiting.cancel()
        let result = await waiting.result
        #expect(throws: RPCError(.cancelled, "the calling task was cancelled")) { try result.get() }
    }

    @Test func `a server that left and came back is found again, by itself`() async throws {
        for round in 0..<5 {
            let running = try network.start(try Server([EchoService()]), as: "echo")
            let options = CallOptions(waitForReady: true)
            let answer = try await channel.unary(EchoService.Methods.echo, MessageBytes("\(round)"), options: options)
            #expect(answer.message.text == "\(round)")
            running.stopNow()
            await running.waitUntilStopped()
            await eventually { target.handle.connectivity != .ready }
            #expect(await BadServerTests.outcome(channel).hasPrefix("UNAVAILABLE: connect memory:echo: "))
        }
    }

    @Test(arguments: [(1, 0.5, 1.0), (2, 0.5, 1.6), (3, 0.5, 2.56), (1, 0.0, 0.8), (100, 0.5, 120.0), (0, 0.5, 1.0)])
    func `the wait grows by gRPC's figures up to two minutes`(_ failures: Int, _ unit: Double, _ seconds: Double) {
        let delay = ConnectionBackoff().delay(failures: failures, unit: unit)
        #expect(abs(delay / .seconds(1) - seconds) < 1e-9)
    }
}
