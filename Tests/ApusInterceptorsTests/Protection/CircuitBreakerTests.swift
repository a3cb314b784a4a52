// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

struct CircuitBreakerTests {
    let clock = ManualClock()
    let script = ScriptedTransport()
    let observer = BreakerStates()

    private func breaker(_ scope: CircuitBreaker.Scope = .endpointAndMethod, slow: Bool = false) -> CircuitBreaker {
        var rules = BreakerRules()
        rules.minimumCalls = 4
        rules.probes = 1
        if slow { rules.slowRate = 0.5 }
        return CircuitBreaker("users", for: scope, rules: rules, clock: clock)
    }

    private func channel(_ interceptors: any ClientInterceptor...) -> Channel {
        Channel("users", interceptors: interceptors, transport: script, observer: observer, clock: clock)
    }

    private func fail(_ channel: Channel, times: Int) async {
        for _ in 0..<times { await #expect(throws: RPCError.self) { try await channel.ask() } }
    }

    @Test func `an open breaker fails calls with its name and the time that is left, and then probes`() async throws {
        let channel = channel(PinnedEndpoint(.local(1)), breaker())
        script.otherwise.fail(.unavailable)
        await fail(channel, times: 4)
        clock.advance(by: .milliseconds(1800))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        let text =
            "UNAVAILABLE: circuit breaker 'users' is open for /test.Service/Unary: the next call may pass in 3.2 s "
            + "(peer 127.0.0.1:1)"
        #expect(error?.description == text)
        #expect(script.calls.count == 4)
        clock.advance(by: .seconds(4))
        script.otherwise.reply("back")
        #expect(try await channel.ask() == "back")
        #expect(observer.all == [.open, .halfOpen, .closed])
    }

    @Test func `methods and endpoints have breakers of their own`() async throws {
        let handles = Candidates([.local(1), .local(2)]).handles
        let breaker = breaker()
        let script = script
        func channel(_ handle: EndpointHandle) -> Channel {
            Channel("users", interceptors: [To(handle: handle), breaker], transport: script, clock: clock)
        }
        script.otherwise.fail(.unavailable)
        await fail(channel(handles[0]), times: 5)
        #expect(script.calls.count == 4)
        await fail(channel(handles[1]), times: 1)
        let other = MethodDescriptor(service: "test.Service", name: "Other", kind: .unary)
        await #expect(throws: RPCError.self) {
            try await channel(handles[0]).start(other, .one(MessageBytes([])))
        }
        #expect(script.calls.count == 6)
        // Another description of the same method is the same method.
        let same = MethodDescriptor(service: "test.Service", name: "Unary", kind: .unary)
        await #expect(throws: RPCError.self) {
            try await channel(handles[0]).start(same, .one(MessageBytes([])))
        }
        #expect(script.calls.count == 6)
    }

    @Test func `an endpoint's breaker counts all of its methods`() async throws {
        let channel = channel(PinnedEndpoint(.local(1)), breaker(.endpoint))
        script.otherwise.fail(.unavailable)
        for name in ["A", "B", "C", "D", "E"] {
            let method = MethodDescriptor(service: "test.Service", name: name, kind: .unary)
            await #expect(throws: RPCError.self) { try await channel.start(method, .one(MessageBytes([]))) }
        }
        #expect(script.calls.count == 4)
    }

    @Test func `a refused call goes to another endpoint at once`() async throws {
        let candidates = FixedCandidates(ports: 1..<3)
        let bad = candidates.candidates.handles[0]
        script.otherwise.run { call in
            if call.endpoint == bad { throw RPCError(.internal, "broken") }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        // With and without a Retry: the channel's own transparent retry does it.
        for retry: [any ClientInterceptor] in [[], [Retry(clock: clock)]] {
            let channel = Channel(
                "users",
                interceptors: retry + [candidates, RandomBalancer(random: SplitMixRandom(seed: 2)), breaker()],
                transport: script, clock: clock)
            var failures = 0
            for _ in 0..<100 {
                do { try await channel.ask() } catch { failures += 1 }
            }
            #expect(failures == 4)
            #expect(clock.sleepers == 0)
        }
    }

    @Test func `a call that every endpoint's breaker refuses fails`() async throws {
        let channel = channel(FixedCandidates(ports: 1..<3), RandomBalancer(random: SplitMixRandom(seed: 2)), breaker())
        script.otherwise.fail(.internal)
        await fail(channel, times: 50)
        #expect(script.calls.count < 20)
        #expect(clock.sleepers == 0)
    }

    @Test func `slow answers open it, measured by the clock`() async throws {
        let channel = channel(PinnedEndpoint(.local(1)), breaker(slow: true))
        script.otherwise.run { [clock] _ in
            clock.advance(by: .seconds(1))
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        for _ in 0..<4 { try await channel.ask() }
        await fail(channel, times: 1)
    }

    @Test func `codes that speak against the request, and calls taken back, do not count`() async throws {
        let channel = channel(PinnedEndpoint(.local(1)), breaker())
        for code in [Status.Code.notFound, .cancelled, .invalidArgument, .permissionDenied] {
            script.otherwise.fail(code)
            await fail(channel, times: 10)
        }
        #expect(script.calls.count == 40)
    }

    @Test func `a stream counts when it ends`() async throws {
        let channel = channel(PinnedEndpoint(.local(1)), breaker())
        for _ in 0..<4 {
            let stream = ScriptedResponses()
            script.expect().reply(stream)
            _ = try await channel.start(.serverStreaming, .one(MessageBytes([])))
            #expect(observer.all.isEmpty)
            stream.end(RPCError(.unavailable, "broken"))
        }
        #expect(observer.all == [.open])
        // As a probe its head is enough: a stream may go on for hours.
        clock.advance(by: .seconds(5))
        let endless = ScriptedResponses()
        script.expect().reply(endless)
        _ = try await channel.start(.serverStreaming, .one(MessageBytes([])))
        #expect(observer.all == [.open, .halfOpen, .closed])
        endless.end()
    }

    @Test func `a breaker that was told of is taken back when its channel closes, and then says nothing`() async throws
    {
        let (breaker, script, observer, clock) = (breaker(), script, observer, clock)
        func make() -> Channel {
            Channel(
                "users", interceptors: [PinnedEndpoint(.local(1)), breaker], transport: script, observer: observer,
                clock: clock)
        }
        let (first, second) = (make(), make())
        script.otherwise.fail(.unavailable)
        await fail(first, times: 4)
        #expect(observer.all == [.open] && observer.left == [nil])
        second.close()
        #expect(observer.all == [.open])
        first.close()
        first.close()
        #expect(observer.all == [.open, nil] && observer.left == [nil, .open])
        clock.advance(by: .seconds(10))
        await fail(first, times: 1)
        #expect(observer.all == [.open, nil])
    }

    @Test func `two channels with one target have breakers that are counted one by one`() async throws {
        let (one, two) = (
            channel(PinnedEndpoint(.local(1)), breaker()), channel(PinnedEndpoint(.local(1)), breaker())
        )
        script.otherwise.fail(.unavailable)
        await fail(one, times: 4)
        await fail(two, times: 4)
        #expect(observer.all == [.open, .open] && observer.left == [nil, nil])
        one.close()
        #expect(observer.all == [.open, .open, nil])
        clock.advance(by: .seconds(5))
        script.otherwise.reply("back")
        try await two.ask()
        #expect(observer.all == [.open, .open, nil, .halfOpen, .closed])
        #expect(observer.left == [nil, nil, .open, .open, .halfOpen])
    }

    @Test func `a breaker that another policy replaces, or whose endpoint leaves, is no more`() async throws {
        let handles = Candidates([.local(1), .local(2)]).handles
        let policy = breaker()
        script.otherwise.fail(.unavailable)
        let channels = handles.map { channel(To(handle: $0), policy) }
        for channel in channels { await fail(channel, times: 4) }
        handles[0].retire()
        #expect(observer.all == [.open, .open, nil])
        policy.end()
        policy.end()
        #expect(observer.all == [.open, .open, nil, nil])
        clock.advance(by: .seconds(5))
        script.otherwise.reply("back")
        for channel in channels { try await channel.ask() }
        #expect(observer.all == [.open, .open, nil, nil])
    }

    @Test func `successes of many threads are all counted`() async {
        var rules = BreakerRules()
        rules.minimumCalls = 1
        rules.failureRate = 0.01
        let breaker = Breaker(rules, method: nil)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { [clock] in
                    for _ in 0..<1250 {
                        guard case .passes(let generation) = breaker.admit(clock, changed: { _, _ in }) else {
                            continue
                        }
                        breaker.ended(.success, slow: false, generation: generation, clock) { _, _ in }
                    }
                }
            }
        }
        // 99 failures among 10,000 successes are below one percent, 102 are not.
        var opened = 0
        for number in 0..<102 {
            guard case .passes(let generation) = breaker.admit(clock, changed: { _, _ in }) else { break }
            breaker.ended(.failure, slow: false, generation: generation, clock) { _, _ in opened = number }
        }
        #expect(opened == 101)
    }

    @Test func `over real connections a server that fails is not asked any more`() async throws {
        let asked = Count()
        let handler: Served.Handler = { _ in
            asked.add()
            throw RPCError(.internal, "broken")
        }
        let client: [any ClientInterceptor] = [Served.endpoints(1), RandomBalancer(), breaker()]
        try await Served.run([handler], client: client) { channel in
            await fail(channel, times: 20)
            #expect(asked.value == 4)
        }
    }
}

/// Sends calls to one handle.
struct To: RoutingInterceptor {
    let handle: EndpointHandle

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        try await next.send(call, to: handle)
    }
}

/// Remembers the states of breakers.
final class BreakerStates: Observer {
    private let changes = Mutex<[(from: BreakerState?, to: BreakerState?)]>([])
    /// The states that were entered; nil for the end.
    var all: [BreakerState?] { changes.withLock { $0.map(\.to) } }
    /// The states that were left; nil for the beginning.
    var left: [BreakerState?] { changes.withLock { $0.map(\.from) } }

    func policyEvent(_ event: PolicyEvent) {
        if case .breaker(_, _, _, let old, let new) = event { changes.withLock { $0.append((old, new)) } }
    }
}
