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

    @Test func `what is told is the policy in force, whose it is, and its values`() throws {
        let config = try live("")
        let policy = ConfiguredPolicy(.rateLimit, of: config, fallback: RateLimit(.window(9, per: .seconds(1))))
        let balancer = ConfiguredBalancer(config, fallback: RandomBalancer())
        func told(_ policy: any DescribedPolicy) -> [String] { policy.policyValues.map { "\($0.name) \($0.text)" } }
        #expect(told(policy).prefix(3) == ["part rateLimit", "policy RateLimit", "from the channel"])
        #expect(told(policy).contains("rate 9 per 1.0 seconds"))
        #expect(told(balancer) == ["policy RandomBalancer", "from the channel"])

        try apply(#""rateLimit": {"calls": 2, "window": "100s"}"#, to: config)
        #expect(told(policy).prefix(3) == ["part rateLimit", "policy RateLimit", "from service config"])
        #expect(told(policy).contains("rate 2 per 100.0 seconds"))
        #expect(
            told(ConfiguredPolicy(.circuitBreaker, of: config)) == [
                "part circuitBreaker", "policy none", "from the channel",
            ])

        #expect(throws: RPCError.self) { try apply(#""rateLimit": {"calls": 0}"#, to: config) }
        #expect(told(ServiceConfigured(config)).first == "source doc")
        #expect(told(ServiceConfigured(config)).contains { $0.hasPrefix("refused doc:") })
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

    // A call that waits keeps the policies that it went through.
    @Test func `a policy that is replaced ends though a call still runs through it`() async throws {
        let config = try live(#""outlierEjection": {"consecutiveFailures": 1, "maxEjectionPercent": 100}"#)
        let candidates = Candidates([.local(1), .local(2)])
        let (bad, good) = (candidates.handles[0], candidates.handles[1])
        let (entered, release) = (Gate(), Gate())
        script.expect { #expect($0.endpoint === bad) }.fail(.unavailable)
        script.expect { #expect($0.endpoint === good) }.run { _ in
            entered.open()
            await release.passed()
            throw RPCError(.unavailable, "broken")
        }
        let channel = Channel(
            "users",
            interceptors: [
                FixedCandidates(candidates), PickFirst(), ConfiguredPolicy(.outlierEjection, of: config),
            ], transport: script, clock: clock)
        await fails(channel, with: .unavailable)
        #expect(bad.isEjected)
        let waiting = Task { try await channel.ask() }
        await entered.passed()
        try apply("", to: config)
        while bad.isEjected { await Task.yield() }
        // What it meets now ejects nobody any more.
        release.open()
        _ = await waiting.result
        #expect(!good.isEjected && clock.sleepers == 0)
    }

    @Test func `health checks that are replaced end though a call still runs through them`() async throws {
        let (network, health) = (InMemoryNetwork(), Health())
        let (entered, release) = (Gate(), Gate())
        let running = try network.start(Server([Waiting(entered: entered, release: release), health]), as: "server")
        let candidates = Candidates([Endpoint(.memory("server"))])
        let config = LiveServiceConfig()
        try config.apply(Array(#"{"healthCheckConfig": {"serviceName": ""}}"#.utf8))
        let channel = Channel(
            "users",
            interceptors: [
                FixedCandidates(candidates), RandomBalancer(), ConfiguredPolicy(.healthChecks, of: config),
            ], transport: network.transport())
        let waiting = Task { try await channel.ask() }
        await entered.passed()
        while health.watches == 0 { await Task.yield() }
        try config.apply(Array("{}".utf8))
        while health.watches > 0 { await Task.yield() }
        release.open()
        _ = try await waiting.value
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(running.counts.connections == 0)
    }

    @Test func `the reports of a balancer that is replaced end`() async throws {
        let network = InMemoryNetwork()
        let reports = LoadReports(of: LoadRecorder())
        let running = try network.start(Server([Answering(), reports]), as: "server")
        let config = LiveServiceConfig()
        func balance(_ text: String) throws { try config.apply(Array("{\"loadBalancingConfig\": [\(text)]}".utf8)) }
        try balance(#"{"weighted_round_robin": {"enableOobLoadReport": true}}"#)
        let channel = Channel(
            "users",
            interceptors: [
                FixedCandidates(Candidates([Endpoint(.memory("server"))])),
                ConfiguredBalancer(config, fallback: RandomBalancer()),
            ], transport: network.transport())
        try await channel.ask()
        while reports.streams == 0 { await Task.yield() }
        try balance(#"{"round_robin": {}}"#)
        while reports.streams > 0 { await Task.yield() }
        try await channel.ask()
        channel.close()
        await running.stop(grace: .seconds(10))
        #expect(running.counts.connections == 0)
    }

    @Test func `a thousand documents leave no more with an endpoint than ten`() async throws {
        let config = try live("")
        let candidates = Candidates([.local(1)])
        let channel = channel(
            FixedCandidates(candidates), ConfiguredBalancer(config, fallback: RandomBalancer()),
            ConfiguredPolicy(.circuitBreaker, of: config), ConfiguredPolicy(.outlierEjection, of: config))
        func apply(_ number: Int) throws {
            let own = """
                "circuitBreaker": {"consecutiveFailures": \(number)}, "outlierEjection": {"consecutiveFailures": \(number)}
                """
            let balancer = number.isMultiple(of: 2) ? "peak_ewma" : "weighted_round_robin"
            try config.apply(Array("{\"loadBalancingConfig\": [{\"\(balancer)\": {}}], \"apus\": {\(own)}}".utf8))
        }
        var counts: [Int] = []
        for number in 1...1000 {
            try apply(number)
            try await channel.ask()
            counts.append(candidates.handles[0].attachmentCount + candidates.attachmentCount)
        }
        #expect(counts.max() == counts[..<10].max())
    }

    /// Answers when it is told to.
    private struct Waiting: Service {
        let entered: Gate
        let release: Gate

        var routes: [Route] {
            [
                Route(.unary) { [self] _ in
                    entered.open()
                    await release.passed()
                    return ServerResponse(message: MessageBytes("yes".utf8))
                }
            ]
        }
    }
}

/// Opens once.
private final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    func passed() async {
        while !isOpen.load(ordering: .acquiring) { await Task.yield() }
    }
}
