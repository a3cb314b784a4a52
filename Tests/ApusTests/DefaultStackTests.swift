// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusTestSupport
import Testing

struct DefaultStackTests {
    private let registry = InMemoryRegistry()

    private func register(_ name: String) async throws -> Registration {
        let instance = ServiceInstance(service: "users", id: name, endpoint: Endpoint(.memory(name)))
        return try await registry.register(instance)
    }

    private func names(_ stack: DefaultStack) -> [String] {
        stack.interceptors(with: registry).map { "\(type(of: $0))" }
    }

    @Test func `the policies stand in the order that their description gives`() {
        #expect(names(DefaultStack()) == ["Deadline", "Retry", "Discovery", "RandomBalancer", "CircuitBreaker"])
        var stack = DefaultStack()
        stack.before = [IdempotencyKey()]
        stack.tries = Hedging(delay: .percentile())
        stack.outliers = OutlierEjection()
        stack.breaker = nil
        let expected = ["Deadline", "IdempotencyKey", "Hedging", "Discovery", "RandomBalancer", "OutlierEjection"]
        #expect(names(stack) == expected)
    }

    @Test func `with a config its policies stand where they belong, and change under the channel`() async throws {
        var stack = DefaultStack()
        stack.config = LiveServiceConfig()
        let expected = [
            "Deadline", "ConfiguredPolicy", "ConfiguredPolicy", "ServiceConfigured", "Discovery", "ConfiguredBalancer",
            "ConfiguredPolicy", "ConfiguredPolicy", "ConfiguredPolicy",
        ]
        #expect(names(stack) == expected)
        let script = ScriptedTransport()
        script.otherwise.fail(.unavailable)
        let registration = try await register("bad")
        // A clock that stands still: a window does not end.
        let config = LiveServiceConfig(clock: ManualClock())
        stack.config = config
        stack.breaker = nil
        let channel = Channel("users", interceptors: stack.interceptors(with: registry), transport: script)
        for _ in 0..<3 { await #expect(throws: RPCError.self) { try await channel.ask() } }
        #expect(script.calls.count == 3)
        try config.apply(
            Array(
                #"{"apus": {"rateLimit": {"calls": 2, "window": "9s"}, "circuitBreaker": {"consecutiveFailures": 1}}}"#
                    .utf8))
        // One that fails, one that the breaker refuses, one that is over the limit.
        var codes: [Status.Code] = []
        for _ in 0..<3 {
            do { try await channel.ask() } catch { codes.append(error.code) }
        }
        #expect(codes == [.unavailable, .unavailable, .resourceExhausted])
        #expect(script.calls.count == 4)
        await registration.leave()
    }

    @Test func `a service whose one server fails answers from the others, and soon leaves that one alone`() async throws
    {
        let script = ScriptedTransport()
        script.otherwise.run { call in
            if call.endpoint?.endpoint.address == .memory("bad") { throw RPCError(.unavailable, "broken") }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        let registrations = try await [register("bad"), register("good"), register("better")]
        var stack = DefaultStack()
        stack.tries = Retry(.exponential(initial: .zero), budget: RetryBudget(share: 1))
        stack.balancer = RandomBalancer(random: SplitMixRandom(seed: 1))
        // A clock that stands still: the breaker stays open.
        stack.breaker = CircuitBreaker(clock: ManualClock())
        let channel = Channel("users", interceptors: stack.interceptors(with: registry), transport: script)
        for _ in 0..<500 { try await channel.ask() }
        let asked = script.calls.count { $0.endpoint?.endpoint.address == .memory("bad") }
        #expect(asked == 20)
        for registration in registrations { await registration.leave() }
    }

    @Test(arguments: Balancers.all)
    func `any balancer serves in the stack, and retries go past the server that fails`(
        _ balancer: Balancers
    ) async throws {
        let script = ScriptedTransport()
        script.otherwise.run { call in
            if call.endpoint?.endpoint.address == .memory("bad") { throw RPCError(.unavailable, "broken") }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        let registrations = try await [register("bad"), register("good"), register("better")]
        var stack = DefaultStack()
        stack.tries = Retry(.exponential(initial: .zero), budget: RetryBudget(share: 1))
        stack.balancer = balancer.make()
        let channel = Channel("users", interceptors: stack.interceptors(with: registry), transport: script)
        for _ in 0..<200 { try await channel.ask() }
        // Besides these there may be streams of load reports.
        let asked = script.calls.filter { $0.method == .unary }
        #expect(asked.count { $0.endpoint?.endpoint.address != .memory("bad") } == 200)
        for registration in registrations { await registration.leave() }
    }

    @Test func `when all servers fail the load on them grows by no more than the budget`() async throws {
        let script = ScriptedTransport()
        script.otherwise.fail(.unavailable)
        let registrations = try await [register("bad"), register("worse")]
        var stack = DefaultStack()
        stack.breaker = nil
        stack.tries = Retry(.exponential(initial: .zero), budget: RetryBudget(share: 0.2, perSecond: 0.001))
        let channel = Channel("users", interceptors: stack.interceptors(with: registry), transport: script)
        for _ in 0..<1000 { await #expect(throws: RPCError.self) { try await channel.ask() } }
        #expect((1199...1202).contains(script.calls.count))
        for registration in registrations { await registration.leave() }
    }
}

/// The balancers that users may put into the stack.
struct Balancers: Sendable, CustomTestStringConvertible {
    let make: @Sendable () -> any RoutingInterceptor
    var testDescription: String { "\(type(of: make()))" }

    static let all: [Balancers] = [
        Balancers { RandomBalancer() }, Balancers { RoundRobin() }, Balancers { LeastRequest() },
        Balancers { WeightedRandomBalancer(warmUp: WarmUp(window: .seconds(30))) }, Balancers { PickFirst() },
        Balancers { PeakEWMA() }, Balancers { WeightedRoundRobin(reports: .perCall) },
        Balancers { WeightedRoundRobin(reports: .outOfBand()) }, Balancers { RingHash(by: .metadata("x-user")) },
        Balancers { Maglev(by: .key { $0.method.path }) },
    ]
}
