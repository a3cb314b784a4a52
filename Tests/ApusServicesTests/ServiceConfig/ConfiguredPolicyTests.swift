// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusInterceptors
import ApusTestSupport
import ApusTransport
import Synchronization
import Testing

@testable import ApusServices

@Suite(.timeLimit(.minutes(1))) struct ConfiguredPolicyTests {
    private let clock = ManualClock()
    private let script = ScriptedTransport()

    private func live(_ own: String) throws -> LiveServiceConfig {
        let config = LiveServiceConfig(clock: clock)
        try apply(own, to: config)
        return config
    }

    private func apply(_ own: String, to config: LiveServiceConfig) throws {
        try config.apply(Array("{\"apus\": {\(own)}}".utf8), name: "doc")
    }

    private func channel(_ interceptors: any ClientInterceptor...) -> Channel {
        script.otherwise.reply()
        return Channel("users", interceptors: interceptors, transport: script, clock: clock)
    }

    private func fails(_ channel: Channel, with code: Status.Code) async {
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.code == code)
    }

    @Test func `a rate limit keeps its count while it stays the same, and a new one begins anew`() async throws {
        let config = try live(#""rateLimit": {"calls": 2, "window": "100s"}"#)
        let channel = channel(ConfiguredPolicy(.rateLimit, of: config))
        try await channel.ask()
        try apply(#""rateLimit": {"window": "100s", "calls": 2}, "circuitBreaker": {}"#, to: config)
        try await channel.ask()
        await fails(channel, with: .resourceExhausted)
        try apply(#""rateLimit": {"calls": 3, "window": "100s"}"#, to: config)
        for _ in 0..<3 { try await channel.ask() }
        await fails(channel, with: .resourceExhausted)
        try apply("", to: config)
        for _ in 0..<10 { try await channel.ask() }
    }

    @Test func `a document that is refused leaves the policy that is in force`() async throws {
        let config = try live(#""rateLimit": {"calls": 1, "window": "100s"}"#)
        let channel = channel(ConfiguredPolicy(.rateLimit, of: config))
        try await channel.ask()
        #expect(throws: RPCError.self) { try apply(#""rateLimit": {"calls": 0}"#, to: config) }
        await fails(channel, with: .resourceExhausted)
        #expect(config.lastRefusal?.message == "doc:1:24: apus.rateLimit has no 'window'")
    }

    @Test func `the fallback holds while the config asks for nothing`() async throws {
        let config = try live("")
        let fallback = RateLimit(.window(1, per: .seconds(100)), clock: clock)
        let channel = channel(ConfiguredPolicy(.rateLimit, of: config, fallback: fallback))
        try await channel.ask()
        await fails(channel, with: .resourceExhausted)
        try apply(#""rateLimit": {"perSecond": 1000}"#, to: config)
        try await channel.ask()
    }

    @Test func `a breaker opens as the config says, and goes when the config drops it`() async throws {
        let config = try live(#""circuitBreaker": {"consecutiveFailures": 2, "openFor": "10s", "probes": 1}"#)
        let channel = channel(
            PinnedEndpoint(.local(1)), ConfiguredPolicy(.circuitBreaker, of: config))
        for _ in 0..<2 { script.expect().fail(.unavailable) }
        for _ in 0..<3 { await fails(channel, with: .unavailable) }
        #expect(script.calls.count == 2)
        try apply("", to: config)
        try await channel.ask()
        #expect(script.calls.count == 3)
    }

    @Test func `a concurrency limit bounds the calls that run`() async throws {
        let config = try live(#""concurrencyLimit": {"limit": 1}"#)
        let channel = channel(ConfiguredPolicy(.concurrencyLimit, of: config))
        let entered = Mutex(false)
        let release = Mutex(false)
        script.expect().run { _ in
            entered.withLock { $0 = true }
            while !release.withLock({ $0 }) { await Task.yield() }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        let first = Task { try await channel.ask() }
        while !entered.withLock({ $0 }) { await Task.yield() }
        await fails(channel, with: .resourceExhausted)
        release.withLock { $0 = true }
        _ = try await first.value
        try await channel.ask()
    }

    @Test func `an outlier is ejected, and readmitted when the config drops the rule`() async throws {
        let config = try live(#""outlierEjection": {"consecutiveFailures": 2, "maxEjectionPercent": 100}"#)
        let candidates = Candidates([.local(1), .local(2)])
        let bad = candidates.handles[0]
        script.otherwise.run { call in
            if call.endpoint === bad { throw RPCError(.unavailable, "broken") }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        let channel = Channel(
            "users",
            interceptors: [
                FixedCandidates(candidates), RoundRobin(), ConfiguredPolicy(.outlierEjection, of: config),
            ], transport: script, clock: clock)
        for _ in 0..<20 { _ = try? await channel.ask() }
        #expect(bad.isEjected)
        #expect(script.calls.count { $0.endpoint === bad } == 2)
        try apply("", to: config)
        // Its tasks do it: the suite's time limit ends a wait in vain.
        while bad.isEjected { await Task.yield() }
        for _ in 0..<2 { _ = try? await channel.ask() }
        #expect(script.calls.count { $0.endpoint === bad } == 3)
    }

    /// Serves, and says of its health what the test wants.
    private struct Answering: Service {
        var routes: [Route] { [Route(.unary) { _ in ServerResponse(message: MessageBytes("yes".utf8)) }] }
    }

    // Over HTTP/2 in memory: the config's way from its text to an endpoint that is left alone, and back.
    @Test func `health is watched for the service that the config names, and no longer when it names none`()
        async throws
    {
        let (network, health) = (InMemoryNetwork(), Health())
        health.set("app", .notServing)
        let running = try network.start(Server([Answering(), health]), as: "server")
        let candidates = Candidates([Endpoint(.memory("server"))])
        let handle = candidates.handles[0]
        let config = LiveServiceConfig()
        let channel = Channel(
            "users",
            interceptors: [
                FixedCandidates(candidates), RandomBalancer(), ConfiguredPolicy(.healthChecks, of: config),
            ], transport: network.transport())
        func becomes(ejected: Bool) async throws {
            while handle.isEjected != ejected {
                try await channel.ask()
                await Task.yield()
            }
        }
        try await channel.ask()
        #expect(!handle.isEjected)
        try config.apply(Array(#"{"healthCheckConfig": {"serviceName": "app"}}"#.utf8))
        try await becomes(ejected: true)
        // Another service: the old watch ends, and its word no longer counts.
        health.set("other", .serving)
        try config.apply(Array(#"{"healthCheckConfig": {"serviceName": "other"}}"#.utf8))
        try await becomes(ejected: false)
        health.set("other", .notServing)
        try await becomes(ejected: true)
        try config.apply(Array("{}".utf8))
        try await becomes(ejected: false)
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(running.counts.connections == 0)
    }
}
