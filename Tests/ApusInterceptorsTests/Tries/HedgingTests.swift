// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct HedgingTests {
    let clock = ManualClock()
    let script = ScriptedTransport()
    let observer = RecordingObserver()

    private func channel(_ interceptors: any ClientInterceptor...) -> Channel {
        Channel("users", interceptors: interceptors, transport: script, observer: observer, clock: clock)
    }

    private func hedging(_ attempts: Int = 3, throttle: RetryThrottle? = nil, budget: RetryBudget? = nil) -> Hedging {
        Hedging(
            maxAttempts: attempts, delay: .fixed(.seconds(1)), throttle: throttle, budget: budget, clock: clock)
    }

    /// Answers nothing until it is cancelled.
    private func hang(_ cancelled: Gate) {
        script.expect().run { _ in
            await Gate().wait()
            cancelled.open()
            throw RPCError(.cancelled, "the try was cancelled")
        }
    }

    @Test func `a fast call is made once`() async throws {
        script.expect { #expect($0.attempt == 1 && $0.metadata.isEmpty) }.reply("first")
        #expect(try await channel(hedging()).ask() == "first")
        #expect(clock.sleepers == 0)
    }

    @Test func `a slow call is sent again elsewhere, and the loser is cancelled`() async throws {
        let cancelled = Gate()
        hang(cancelled)
        script.expect { #expect($0.metadata["grpc-previous-rpc-attempts"] == "1") }.reply("second")
        let channel = channel(hedging(), FixedCandidates(ports: 1..<3), RandomBalancer())
        async let answer = channel.ask()
        await clock.waitForSleepers()
        clock.advance(by: .seconds(1))
        #expect(try await answer == "second")
        await cancelled.wait()
        #expect(script.calls.map(\.attempt) == [1, 2])
        #expect(Set(script.calls.compactMap(\.endpoint)).count == 2)
        #expect(script.calls.allSatisfy { $0.endpoint?.callsInFlight == 0 })
        #expect(observer.picks.count == 2)
        #expect(clock.sleepers == 0)
    }

    @Test func `a failure that is not fatal sends the next try at once`() async throws {
        script.expect().fail(.unavailable)
        script.expect().reply("second")
        #expect(try await channel(hedging()).ask() == "second")
    }

    @Test func `a fatal failure ends the call`() async throws {
        script.expect().fail(.notFound)
        let error = await #expect(throws: RPCError.self) { try await channel(hedging()).ask() }
        #expect(error?.description == "NOT_FOUND: scripted")
    }

    @Test func `the last error says how many tries there were`() async throws {
        script.otherwise.fail(.unavailable)
        let error = await #expect(throws: RPCError.self) { try await channel(hedging()).ask() }
        #expect(error?.notes == ["attempt 3 of 3"])
    }

    @Test func `tries that never left are repeated without being counted`() async throws {
        script.expect().fail(.unavailable, progress: .notSent)
        script.expect { #expect($0.attempt == 1) }.reply("sent")
        #expect(try await channel(hedging()).ask() == "sent")
    }

    @Test func `a spent budget leaves a call with its first try`() async throws {
        script.otherwise.fail(.unavailable)
        let channel = channel(hedging(budget: RetryBudget(share: 0, perSecond: 1)))
        for _ in 0..<2 { await #expect(throws: RPCError.self) { try await channel.ask() } }
        #expect(script.calls.count == 3)
    }

    @Test func `a throttle stops the tries of all calls`() async throws {
        script.otherwise.fail(.unavailable)
        let channel = channel(hedging(throttle: RetryThrottle(maxTokens: 2)))
        for _ in 0..<2 { await #expect(throws: RPCError.self) { try await channel.ask() } }
        #expect(script.calls.count == 2)
    }

    @Test func `a cancelled call cancels its tries`() async throws {
        let cancelled = Gate()
        hang(cancelled)
        let channel = channel(hedging())
        let call = Task { try await channel.ask() }
        await clock.waitForSleepers()
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled)
        #expect(script.calls.count == 1)
    }

    @Test func `a call whose try fails as it is cancelled is cancelled, and keeps the try's error as its cause`()
        async throws
    {
        script.expect().run { _ in
            await Gate().wait()
            throw RPCError(.unavailable, "broken")
        }
        let channel = channel(hedging())
        let call = Task { try await channel.ask() }
        while script.calls.isEmpty { await Task.yield() }
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled && error?.cause.contains("broken") == true)
        #expect(script.calls.count == 1)
    }

    @Test func `a call that is cancelled while several of its tries run is cancelled whatever they say`() async throws {
        let cancelled = Gate()
        for _ in 0..<2 {
            script.expect().run { _ in
                await Gate().wait()
                cancelled.open()
                throw RPCError(.unavailable, "broken")
            }
        }
        let channel = channel(hedging(2))
        let call = Task { try await channel.ask() }
        await clock.waitForSleepers()
        clock.advance(by: .seconds(1))
        while script.calls.count < 2 { await Task.yield() }
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled && error?.cause.contains("broken") == true)
        #expect(clock.sleepers == 0)
    }

    @Test func `a call that is cancelled while it waits for its next try is cancelled`() async throws {
        let pushback: Metadata = ["grpc-retry-pushback-ms": "5000"]
        script.expect().fail(.unavailable, metadata: pushback)
        let channel = channel(hedging())
        let call = Task { try await channel.ask() }
        // The first wait is the try's own delay, the second what the server asked for.
        while clock.sleepers < 2 { await Task.yield() }
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled && error?.cause.contains("scripted") == true)
        #expect(script.calls.count == 1)
        #expect(clock.sleepers == 0)
    }

    @Test func `a server's own answer stands though the call is cancelled meanwhile`() async throws {
        script.expect().run { _ in
            await Gate().wait()
            throw RPCError(.invalidArgument, "not so")
        }
        let channel = channel(hedging())
        let call = Task { try await channel.ask() }
        while script.calls.isEmpty { await Task.yield() }
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `a streamed request goes whole to each try`() async throws {
        let cancelled = Gate()
        script.expect().run { call in
            guard case .stream(let source) = call.request else { throw RPCError(.internal, "no stream") }
            while try await source.next() != nil {}
            await Gate().wait()
            cancelled.open()
            throw RPCError(.cancelled, "the try was cancelled")
        }
        script.expect().run { call in
            guard case .stream(let source) = call.request else { throw RPCError(.internal, "no stream") }
            var text: [UInt8] = []
            while let message = try await source.next() { text += message.bytes }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes(text), trailers: Metadata()))
        }
        let (channel, pipe) = (channel(hedging()), MessagePipe())
        for text in ["a", "b", "c"] { try await pipe.write(MessageBytes(text.utf8)) }
        pipe.finish()
        async let answer = channel.start(.clientStreaming, .stream(pipe))
        await clock.waitForSleepers()
        clock.advance(by: .seconds(1))
        guard case .one(let bytes, _) = try await answer.body else {
            Issue.record("no answer")
            return
        }
        #expect(bytes == MessageBytes("abc".utf8))
        await cancelled.wait()
    }

    @Test func `a streamed request that is too long to keep commits the call to one try`() async throws {
        let hedging = Hedging(maxAttempts: 3, delay: .fixed(.zero), replayLimit: 10, clock: clock)
        script.otherwise.run { call in
            guard case .stream(let source) = call.request else { throw RPCError(.internal, "no stream") }
            while try await source.next() != nil {}
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        let (channel, pipe) = (channel(hedging), MessagePipe())
        let call = Task { try await channel.start(.clientStreaming, .stream(pipe)) }
        for _ in 0..<10 { try await pipe.write(MessageBytes("a message".utf8)) }
        pipe.finish()
        _ = try await call.value
        let failing = Task { try await channel.start(.clientStreaming, .stream(MessagePipe())) }
        failing.cancel()
        await #expect(throws: RPCError.self) { try await failing.value }
    }

    @Test func `the delay follows the latencies of the calls`() {
        let delay = HedgeDelay.percentile(0.85, in: .milliseconds(1) ... .seconds(5))
        #expect(delay.present == .seconds(5))
        for step in 0..<128 { delay.note(.milliseconds(step % 10 == 0 ? 100 : 10), at: clock.now) }
        #expect(delay.present >= .milliseconds(10) && delay.present < .milliseconds(12))
    }

    @Test func `over real connections the loser's handler is cancelled on the wire`() async throws {
        let cancelled = Gate()
        let handler: Served.Handler = { call in
            guard call.metadata["grpc-previous-rpc-attempts"] == nil else { return "second" }
            await Gate().wait()
            cancelled.open()
            return "late"
        }
        let client: [any ClientInterceptor] = [
            Hedging(delay: .fixed(.zero)), Served.endpoints(2), RandomBalancer(),
        ]
        try await Served.run([handler, handler], client: client) { channel in
            let answer = try await channel.ask()
            #expect(answer == "second")
            await cancelled.wait()
        }
    }
}
