// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Foundation
import Testing

@testable import ApusInterceptors

struct LatencyEstimateTests {
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    @Test func `a slower answer counts at once`() {
        var estimate = LatencyEstimate()
        estimate.note(.milliseconds(10), at: start, decay: .seconds(10))
        estimate.note(.milliseconds(500), at: start, decay: .seconds(10))
        #expect(estimate.cost == 500e6)
    }

    @Test func `a faster answer counts more the longer ago the others were`() {
        var estimate = LatencyEstimate()
        estimate.note(.milliseconds(100), at: start, decay: .seconds(10))
        estimate.note(.milliseconds(20), at: start.advanced(by: .seconds(10)), decay: .seconds(10))
        #expect(abs(estimate.cost - (100e6 * exp(-1) + 20e6 * (1 - exp(-1)))) < 1)
    }

    @Test func `without answers the cost falls towards nothing`() {
        var estimate = LatencyEstimate()
        estimate.note(.milliseconds(100), at: start, decay: .seconds(10))
        #expect(estimate.cost(at: start, decay: .seconds(10)) == 100e6)
        let later = estimate.cost(at: start.advanced(by: .seconds(50)), decay: .seconds(10))
        #expect(abs(later - 100e6 * exp(-5)) < 1)
    }

    @Test func `over ten thousand answers the estimate stays among them, whatever the clock does`() {
        let random = SplitMixRandom(seed: 1)
        var estimate = LatencyEstimate()
        for _ in 0..<10_000 {
            let now = start.advanced(by: .milliseconds(random.index(below: 100_000)))
            estimate.note(.microseconds(1000 + random.index(below: 9000)), at: now, decay: .seconds(10))
            #expect((1e6...10e6).contains(estimate.cost))
        }
    }
}

struct PeakEWMATests {
    private let clock = ManualClock()
    private let script = ScriptedTransport()
    private let candidates = FixedCandidates(ports: 0..<4)

    private var channel: Channel {
        let balancer = PeakEWMA(random: SplitMixRandom(seed: 1), clock: clock)
        return Channel("users", interceptors: [candidates, balancer], transport: script, clock: clock)
    }

    /// Calls of each endpoint among the last `count`.
    private func shares(_ count: Int) -> [Int] {
        let calls = script.calls.suffix(count)
        return candidates.candidates.handles.map { handle in calls.count { $0.endpoint == handle } }
    }

    /// Each answer takes as many milliseconds as its endpoint's entry says.
    private func play(_ milliseconds: [Int], failing: Int? = nil) {
        let handles = candidates.candidates.handles
        script.otherwise.run { [clock] call in
            let index = call.endpoint.flatMap { handles.firstIndex(of: $0) } ?? 0
            clock.advance(by: .milliseconds(milliseconds[index]))
            if index == failing { throw RPCError(.unavailable, "broken") }
            return ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
    }

    @Test func `the slow one of four gets hardly any calls, and the others share them`() async throws {
        play([10, 10, 200, 10])
        let channel = channel
        for _ in 0..<2000 { try await channel.ask() }
        let shares = shares(2000)
        #expect(shares[2] < 40)
        #expect([0, 1, 3].allSatisfy { shares[$0] > 500 })
    }

    @Test func `one that was slow is tried again after a while, and has its share when it is fast`() async throws {
        play([10, 10, 2000, 10])
        let channel = channel
        for _ in 0..<200 { try await channel.ask() }
        play([10, 10, 10, 10])
        for _ in 0..<1000 { try await channel.ask() }
        #expect(shares(1000)[2] == 0)
        clock.advance(by: .seconds(300))
        for _ in 0..<1000 { try await channel.ask() }
        #expect(shares(1000)[2] > 100)
    }

    @Test func `who fails fast draws no calls`() async throws {
        play([10, 10, 1, 10], failing: 2)
        let channel = channel
        var failures = 0
        for _ in 0..<1000 {
            do { try await channel.ask() } catch { failures += 1 }
        }
        #expect(failures == shares(1000)[2])
        #expect(failures < 30)
    }

    @Test func `an endpoint of which nothing is known gets one call, and no second before its answer`() {
        let latencies = PeakLatencies(decay: .seconds(10), failure: .seconds(1), faults: .serverFaults)
        let handle = EndpointHandle(.local(1))
        #expect(latencies.cost(of: handle, at: clock.now) == 0)
        handle.callStarted()
        #expect(latencies.cost(of: handle, at: clock.now) > 1e15)
        latencies.answered(handle, from: clock.now, to: clock.now)
        #expect(latencies.cost(of: handle, at: clock.now) == 2)
    }

    @Test func `connecting is not measured`() async throws {
        let candidates = Candidates([.local(1)])
        let balancer = PeakEWMA(random: SplitMixRandom(seed: 1), clock: clock)
        let channel = Channel(
            "users", interceptors: [RoutedCandidates(candidates: candidates), balancer], transport: script)
        try await channel.connect()
        #expect(balancer.latencies.cost(of: candidates.handles[0], at: clock.now) == 0)
        script.otherwise.reply()
        try await channel.ask()
        #expect(balancer.latencies.cost(of: candidates.handles[0], at: clock.now) > 0)
    }

    @Test func `errors that tell nothing of the server are not measured`() {
        let latencies = PeakLatencies(decay: .seconds(10), failure: .seconds(1), faults: .serverFaults)
        let handle = EndpointHandle(.local(1))
        let end = clock.now.advanced(by: .milliseconds(3))
        latencies.failed(handle, RPCError(.cancelled, ""), from: clock.now, to: end)
        latencies.failed(handle, RPCError(.unavailable, "", progress: .notSent), from: clock.now, to: end)
        #expect(latencies.cost(of: handle, at: end) == 0)
        latencies.failed(handle, RPCError(.notFound, ""), from: clock.now, to: end)
        #expect(latencies.cost(of: handle, at: end) == 3e6)
        latencies.failed(handle, RPCError(.internal, ""), from: clock.now, to: end)
        #expect(latencies.cost(of: handle, at: end) == 1e9)
    }
}
