// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterop

/// The limits of the soak cases.
@Suite(.timeLimit(.minutes(10))) struct SoakTests {
    /// A server with something in front of its service, and the way to it.
    private struct Course {
        let running: RunningServer
        let open: @Sendable () -> Channel

        init(_ policy: @escaping @Sendable (Int) async throws -> Void) throws {
            let network = InMemoryNetwork()
            let server = try Server([InteropService()], interceptors: [Policy(before: policy)])
            running = try network.start(server, as: "interop")
            open = {
                Channel(
                    "interop", interceptors: [PinnedEndpoint(Endpoint(.memory("interop")))],
                    transport: network.transport())
            }
        }

        func run(_ name: String, _ limits: SoakLimits, clock: any MonotonicClock = SystemClock()) async throws {
            let client = InteropClient(soak: limits, clock: clock, open: open)
            defer { client.channel.close() }
            try await client.run(.named(name))
        }

        func failure(of name: String, _ limits: SoakLimits, clock: any MonotonicClock = SystemClock()) async -> String {
            let error = await #expect(throws: InteropFailure.self) { try await run(name, limits, clock: clock) }
            return error?.description ?? ""
        }
    }

    private struct Policy: ServerInterceptor {
        private let calls = CallCount()
        let before: @Sendable (Int) async throws -> Void

        func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
            try await before(calls.next())
            return try await next(call)
        }
    }

    private static func limits(_ iterations: Int) -> SoakLimits {
        var limits = SoakLimits.patient
        (limits.iterations, limits.requestSize, limits.responseSize) = (iterations, 10, 20)
        return limits
    }

    @Test(arguments: ["rpc_soak", "channel_soak"])
    func `several threads share the calls`(_ name: String) async throws {
        let course = try Course { _ in }
        var limits = Self.limits(100)
        limits.threads = 4
        try await course.run(name, limits)
        #expect(course.running.counts.calls == 100)
        await course.running.stop(grace: .seconds(30))
    }

    @Test func `some calls may fail, but not one more`() async throws {
        let course = try Course { number in
            if number % 10 < 3 { throw RPCError(.aborted, "not today") }
        }
        var limits = Self.limits(10)
        limits.maximumFailures = 3
        try await course.run("rpc_soak", limits)
        limits.maximumFailures = 2
        let text = await course.failure(of: "rpc_soak", limits)
        #expect(text.contains("at most 2 of 10 calls to fail or be late, came 3, the first: ABORTED: not today"))
        await course.running.stop(grace: .seconds(30))
    }

    @Test func `a call that takes too long is a failure`() async throws {
        let clock = ManualClock()
        let course = try Course { _ in clock.advance(by: .seconds(2)) }
        var limits = Self.limits(3)
        limits.latency = .seconds(2)
        try await course.run("rpc_soak", limits, clock: clock)
        limits.latency = .seconds(1)
        let text = await course.failure(of: "rpc_soak", limits, clock: clock)
        #expect(text.contains("came 3, the first: a call took 2.0 seconds"))
        await course.running.stop(grace: .seconds(30))
    }

    @Test func `calls keep their distance, and stop when the time is over`() async throws {
        let clock = ManualClock()
        let course = try Course { _ in }
        var limits = Self.limits(10)
        (limits.interval, limits.overall) = (.seconds(1), .seconds(3))
        async let text = course.failure(of: "rpc_soak", limits, clock: clock)
        for calls in 1...3 {
            await clock.waitForSleepers()
            #expect(course.running.counts.calls == calls)
            clock.advance(by: .seconds(1))
        }
        #expect(await text.contains("calls within 3.0 seconds: expected 10, came 3"))
        await course.running.stop(grace: .seconds(30))
    }

    @Test func `a call that hangs ends with the time for all`() async throws {
        let course = try Course { _ in
            let (never, continuation) = AsyncStream<Void>.makeStream()
            for await _ in never {}
            continuation.finish()
        }
        var limits = Self.limits(1)
        limits.overall = .milliseconds(10)
        let text = await course.failure(of: "rpc_soak", limits, clock: ManualClock())
        #expect(text.contains("came 1, the first: DEADLINE_EXCEEDED"))
        await course.running.stop(grace: .seconds(30))
    }
}

/// Numbers calls from 0.
private final class CallCount: Sendable {
    private let count = Atomic<Int>(0)

    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).oldValue }
}
