// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct RateLimitTests {
    let start = MonotonicInstant(nanoseconds: 5_000_000_000)
    let clock = ManualClock()
    let script = ScriptedTransport()

    @Test func `a sliding window counts the part of the past one that it covers`() {
        let window = SlidingWindow(limit: 10, length: .seconds(1))
        var state = SlidingWindow.State()
        for _ in 0..<10 { #expect(window.take(&state, at: start) == .taken) }
        #expect(window.take(&state, at: start) == .wait(.milliseconds(1100)))
        let later = start.advanced(by: .milliseconds(1050))
        #expect(window.take(&state, at: later) == .wait(.milliseconds(50)))
        #expect(window.take(&state, at: start.advanced(by: .milliseconds(1100))) == .taken)
        #expect(!window.isEmpty(state, at: start.advanced(by: .milliseconds(2500))))
        #expect(window.isEmpty(state, at: start.advanced(by: .seconds(4))))
    }

    @Test func `over ten thousand random calls no window holds much more than its limit, and waits are true`() {
        let random = SplitMixRandom(seed: 4)
        let window = SlidingWindow(limit: 50, length: .seconds(1))
        var (state, now, taken, refused) = (SlidingWindow.State(), start, [MonotonicInstant](), 0)
        for _ in 0..<10_000 {
            now = now.advanced(by: .milliseconds(random.index(below: 25)))
            switch window.take(&state, at: now) {
            case .taken: taken.append(now)
            case .wait(let wait):
                refused += 1
                var copy = state
                #expect(window.take(&copy, at: now.advanced(by: wait + .microseconds(1))) == .taken)
            }
            taken.removeAll { $0.duration(to: now) >= .seconds(1) }
            #expect(taken.count <= 75)
        }
        #expect(refused > 1000)
    }

    @Test func `windows at the ends of their range do not trap`() {
        for limit in [Int.min, -1, 0, 1, Int.max] {
            for length in [Duration.zero, .seconds(-1), .nanoseconds(1), .seconds(Int64.max)] {
                let window = SlidingWindow(limit: limit, length: length)
                var state = SlidingWindow.State()
                for nanoseconds in [Int64.min, -1, 0, 1, .max] {
                    _ = window.take(&state, at: MonotonicInstant(nanoseconds: nanoseconds))
                }
            }
        }
    }

    @Test func `a channel's calls above the rate fail and say when to come again`() async throws {
        script.otherwise.reply("passed")
        let limit = RateLimit(.bucket(perSecond: 10, burst: 2), name: "users", clock: clock)
        let channel = Channel("users", interceptors: [limit], transport: script, clock: clock)
        for _ in 0..<2 { try await channel.ask() }
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.description == "RESOURCE_EXHAUSTED: rate limit 'users': too many calls")
        #expect(error?.metadata["grpc-retry-pushback-ms"] == "100")
        clock.advance(by: .milliseconds(100))
        try await channel.ask()
        #expect(script.calls.count == 3)
    }

    @Test func `a retry waits as long as the limit says`() async throws {
        script.otherwise.reply("passed")
        let limit = RateLimit(.bucket(perSecond: 10, burst: 1), clock: clock)
        let retry = Retry(codes: [.resourceExhausted], clock: clock)
        let channel = Channel("users", interceptors: [retry, limit], transport: script, clock: clock)
        try await channel.ask()
        async let answer = channel.ask()
        await clock.waitForSleepers()
        clock.advance(by: .milliseconds(100))
        #expect(try await answer == "passed")
    }

    @Test func `methods, callers and metadata have limits of their own`() async throws {
        func passes(_ key: RateLimit.Key, _ calls: [ServerCall]) async -> [Bool] {
            let limit = RateLimit(.window(1, per: .seconds(1)), per: key, clock: clock)
            return await calls.passing(limit)
        }
        let other = MethodDescriptor(service: "test.Service", name: "Other", kind: .unary)
        #expect(await passes(.method, [.made(), .made(), .made(method: other)]) == [true, false, true])
        #expect(await passes(.all, [.made(), .made(method: other)]) == [true, false])
        let tenants = [ServerCall.made(["tenant": "a"]), .made(["tenant": "b"]), .made(["tenant": "a"]), .made()]
        #expect(await passes(.metadata("tenant"), tenants) == [true, true, false, true])
        let ada = PeerIdentity(subject: "CN=ada")
        let callers = [
            ServerCall.made(peer: .host("10.0.0.1", port: 1)), .made(peer: .host("10.0.0.1", port: 2)),
            .made(peer: .host("10.0.0.2", port: 1)), .made(peer: .host("10.0.0.1", port: 1), identity: ada),
        ]
        #expect(await passes(.caller, callers) == [true, false, true, true])
    }

    @Test func `whoever makes up keys fills no memory and frees nobody's limit`() {
        let limits = RateLimits(.bucket(perSecond: 1, burst: 1), maximumKeys: 100)
        #expect(limits.take("victim", at: start) == .taken)
        let passed = (0..<10_000).count { limits.take("key \($0)", at: start) == .taken }
        #expect(limits.count == 100)
        #expect(passed == 100)
        #expect(limits.take("victim", at: start) != .taken)
        // Limits that are idle make room.
        for number in 0..<200 { _ = limits.take("late \(number)", at: start.advanced(by: .seconds(5))) }
        #expect(limits.take("late 0", at: start.advanced(by: .seconds(5))) != .taken)
        #expect(limits.count <= 100)
    }

    @Test func `over real connections a call above the rate ends at its headers with the time to wait`() async throws {
        let counter = CallCounter()
        let limit = RateLimit(.window(3, per: .seconds(3600)))
        try await Served.run(
            [{ _ in "passed" }], client: [Served.endpoints(1), RandomBalancer()], server: [counter, limit]
        ) { channel in
            for _ in 0..<3 { try await channel.ask() }
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.metadata["grpc-retry-pushback-ms"].flatMap { Int($0) } ?? 0 > 0)
            // Its message was not waited for: the interceptor before saw nothing of it.
            #expect(counter.count == 3)
        }
    }
}
