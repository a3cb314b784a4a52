// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

/// What policies leave to chance besides the balancers' picks, against chi-square: shares of calls, times within a
/// range.
@Suite struct RandomSharesTests {
    private static let draws = 20_000
    private let random = SplitMixRandom(seed: 23)

    /// How often something happened, and how often not.
    private func picks(_ happens: () -> Bool) -> Picks {
        let count = (0..<Self.draws).count { _ in happens() }
        return Picks([count, Self.draws - count])
    }

    /// How many of the values fell into each tenth of the range.
    private func tenths(from low: Double, to high: Double, _ value: () -> Double) throws -> Picks {
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<Self.draws {
            let place = (value() - low) / (high - low) * 10
            try #require((0..<10).contains(place))
            counts[Int(place)] += 1
        }
        return Picks(counts)
    }

    @Test func `another probability than was asked for is noticed`() throws {
        #expect(!picks { random.unit() < 0.07 }.follow([0.05, 0.95]))
        #expect(try !tenths(from: 0, to: 1) { random.unit() * random.unit() }.areUniform)
    }

    @Test(arguments: [0.01, 0.05, 0.5, 0.9])
    func `calls are copied, struck and shed with the probability that was asked for`(_ share: Double) {
        let head = ServerCallHead(method: .unary, metadata: Metadata(), peer: .memory("client"))
        let shedding = LoadShedding([FixedLoad(value: share)], threshold: 0, random: random, clock: ManualClock())
        #expect(picks { (try? shedding.admit(head)) == nil }.follow([share, 1 - share]))
        let mirror = MirrorRule(share: share, maximumRunning: 1)
        #expect(picks { mirror.draws(.one(MessageBytes([])), random) }.follow([share, 1 - share]))
        let fault = Fault(share: share)
        #expect(picks { fault.strikes(.unary, Metadata(), random) }.follow([share, 1 - share]))
    }

    @Test(arguments: [0.05, 0.4])
    func `calls go to a version with the probability that was asked for`(_ share: Double) async throws {
        let script = ScriptedTransport()
        script.otherwise.reply("fine")
        let endpoints = (0..<3).map {
            Endpoint(host: "127.0.0.1", port: $0, metadata: ["version": $0 == 0 ? "2" : "1"])
        }
        let routing = VersionRouting([.init(.share(share), to: "version", "2")], random: random)
        let channel = Channel(
            "s", interceptors: [FixedCandidates(Candidates(endpoints)), routing], transport: script)
        for _ in 0..<Self.draws { try await channel.ask() }
        let counts = script.calls.compactMap { $0.candidates?.handles.count }
        #expect(Picks([counts.count { $0 == 1 }, counts.count { $0 == 2 }]).follow([share, 1 - share]))
        #expect(counts.count == Self.draws)
    }

    @Test func `a fault's delay has each time of its range with the same probability`() throws {
        let fault = Fault(delay: .milliseconds(100) ... .milliseconds(300))
        let times = try tenths(from: 0.1, to: 0.3 + 1e-9) { fault.delay(random)?.inSecondsExactly ?? 0 }
        #expect(times.areUniform)
    }

    @Test func `a retry's wait has each time of its jitter with the same probability`() throws {
        let schedule = RetrySchedule.exponential(initial: .seconds(1), jitter: 0.8...1.2)
        let times = try tenths(from: 0.8, to: 1.2 + 1e-9) {
            schedule.wait(beforeRetry: 1, random: random.unit()).inSecondsExactly
        }
        #expect(times.areUniform)
    }

    @Test func `an endpoint that warms up is admitted with the probability of its share`() {
        let clock = ManualClock()
        let warmUp = WarmUp(window: .seconds(10), minimumShare: 0.1, clock: clock)
        let handle = EndpointHandle(.local(1))
        handle.connectivity = .ready
        _ = warmUp.share(of: handle, at: clock.now)
        for _ in 0..<3 {
            clock.advance(by: .seconds(2))
            let share = warmUp.share(of: handle, at: clock.now)
            #expect(share > 0.1 && share < 1)
            #expect(picks { warmUp.admits(handle, at: clock.now, random) }.follow([share, 1 - share]))
        }
    }
}

private struct FixedLoad: LoadSignal {
    let name = "fixed"
    let value: Double

    func load() -> Double { value }
}

extension Duration {
    fileprivate var inSecondsExactly: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
