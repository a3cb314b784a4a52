// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Foundation
import Testing

@testable import ApusInterceptors

struct WarmUpTests {
    private let clock = ManualClock()

    @Test(arguments: [0.5, 1, 2, 4])
    func `the share follows the formula`(_ aggression: Double) {
        let rule = WarmUpRule(window: .seconds(60), aggression: aggression, minimumShare: 0.1)
        for second in 0...120 {
            let expected = second >= 60 ? 1 : max(0.1, pow(Double(max(1, second)) / 60, 1 / aggression))
            #expect(abs(rule.share(after: .seconds(second)) - expected) < 1e-9)
        }
    }

    @Test(arguments: [(Double.nan, 1.0), (0, 1), (-1, 1), (.infinity, 1), (1, .nan), (1, -5), (1, 7)])
    func `a bad rule gives shares above nothing and not above one`(_ aggression: Double, _ minimum: Double) {
        for window in [Duration.seconds(-1), .zero, .nanoseconds(1), .seconds(Int64.max)] {
            let rule = WarmUpRule(window: window, aggression: aggression, minimumShare: minimum)
            for time in [Duration.seconds(-5), .zero, .seconds(30), .seconds(Int64.max)] {
                #expect((0.01...1).contains(rule.share(after: time)))
            }
        }
    }

    @Test func `an endpoint begins when it is met, and again after its connection failed`() {
        let warmUp = WarmUp(window: .seconds(10), minimumShare: 0.2, clock: clock)
        let handle = EndpointHandle(.local(1))
        #expect(warmUp.share(of: handle, at: clock.now) == 0.2)
        clock.advance(by: .seconds(5))
        #expect(abs(warmUp.share(of: handle, at: clock.now) - 0.5) < 1e-9)
        clock.advance(by: .seconds(5))
        #expect(warmUp.share(of: handle, at: clock.now) == 1)
        handle.connectivity = .transientFailure
        #expect(warmUp.share(of: handle, at: clock.now) == 0.2)
        clock.advance(by: .seconds(30))
        handle.connectivity = .ready
        #expect(warmUp.share(of: handle, at: clock.now) == 0.2)
    }

    @Test func `over ten thousand random steps each share follows from when its endpoint last began`() {
        let warmUp = WarmUp(window: .seconds(60), aggression: 2, minimumShare: 0.25, clock: clock)
        let handles: [EndpointHandle] = .good(6)
        let random = SplitMixRandom(seed: 6)
        var began = [MonotonicInstant?](repeating: nil, count: handles.count)
        var (least, between, whole) = (0, 0, 0)
        for _ in 0..<10_000 {
            clock.advance(by: .milliseconds(random.index(below: 2000)))
            let index = random.index(below: handles.count)
            switch random.index(below: 40) {
            case 0: handles[index].connectivity = .transientFailure
            case 1...8: handles[index].connectivity = [.idle, .connecting, .ready][random.index(below: 3)]
            default: break
            }
            if handles[index].connectivity == .transientFailure {
                began[index] = nil
            } else if began[index] == nil {
                began[index] = clock.now
            }
            let age = began[index].map { $0.duration(to: clock.now) / .seconds(1) } ?? 0
            let expected = min(1, max(0.25, (max(1, age) / 60).squareRoot()))
            #expect(abs(warmUp.share(of: handles[index], at: clock.now) - expected) < 1e-9)
            if expected == 1 { whole += 1 } else if expected == 0.25 { least += 1 } else { between += 1 }
        }
        #expect(min(least, between, whole) > 500)
    }

    /// Nine endpoints that are warm and one that is not.
    private func warmed(_ warmUp: WarmUp) -> [EndpointHandle] {
        let handles: [EndpointHandle] = .good(10)
        for handle in handles.dropLast() { _ = warmUp.share(of: handle, at: clock.now) }
        clock.advance(by: .seconds(100))
        _ = warmUp.share(of: handles[9], at: clock.now)
        clock.advance(by: .seconds(25))
        return handles
    }

    @Test func `a weighted choice gives a new endpoint its share of the calls`() {
        let warmUp = WarmUp(window: .seconds(100), clock: clock)
        let handles = warmed(warmUp)
        let pick = WeightedPick(warmUp: warmUp, random: SplitMixRandom(seed: 1))
        let table = AliasTable(weights: EndpointWeights.relative(handles))
        let picks = Picks(of: handles) { pick.pick(from: handles, table, avoiding: []) }
        #expect(picks.follow([1, 1, 1, 1, 1, 1, 1, 1, 1, 0.25]))
    }

    @Test func `a choice of two gives a new endpoint its share of the calls`() {
        let warmUp = WarmUp(window: .seconds(100), clock: clock)
        let handles = warmed(warmUp)
        let choice = PowerOfChoices(warmUp: warmUp, random: SplitMixRandom(seed: 2))
        let picks = Picks(of: handles) { choice.pick(from: handles, avoiding: [], cost: LeastRequest.load) }
        #expect(picks.follow([1, 1, 1, 1, 1, 1, 1, 1, 1, 0.25]))
    }

    private var balancers: [any ClientInterceptor] {
        let warmUp = WarmUp(window: .seconds(100), clock: clock)
        return [
            WeightedRandomBalancer(warmUp: warmUp, random: SplitMixRandom(seed: 7)),
            LeastRequest(warmUp: warmUp, random: SplitMixRandom(seed: 7)),
        ]
    }

    /// Three endpoints are warm when the fourth comes: it gets a tenth of a share at first, and a whole one at last.
    private func newcomer(_ channel: Channel, _ list: ChangingList, _ handles: [EndpointHandle], _ calls: () -> Int)
        async throws
    {
        func asked(_ count: Int) async throws -> Int {
            let before = calls()
            for _ in 0..<count { try await channel.ask() }
            return calls() - before
        }
        let none = try await asked(30)
        #expect(none == 0)
        clock.advance(by: .seconds(100))
        list.change(to: Candidates(handles: handles))
        let few = try await asked(200)
        #expect((1...20).contains(few))
        clock.advance(by: .seconds(100))
        let share = try await asked(200)
        #expect((25...75).contains(share))
    }

    @Test func `a channel's balancer sends a newcomer few calls, and more with time`() async throws {
        for balancer in balancers {
            let script = ScriptedTransport()
            script.otherwise.reply()
            let handles: [EndpointHandle] = .good(4)
            let list = ChangingList(Candidates(handles: Array(handles[..<3])))
            let channel = Channel("users", interceptors: [list, balancer], transport: script, clock: clock)
            try await newcomer(channel, list, handles) { script.calls.count { $0.endpoint === handles[3] } }
        }
    }

    @Test func `over real connections a server that is new is asked seldom, and more with time`() async throws {
        for balancer in balancers {
            let asked = Count()
            let handles = Served.endpoints(4).candidates.handles
            let list = ChangingList(Candidates(handles: Array(handles[..<3])))
            let old: Served.Handler = { _ in "old" }
            let new: Served.Handler = { _ in "\(asked.add())" }
            try await Served.run([old, old, old, new], client: [list, balancer]) { channel in
                try await newcomer(channel, list, handles) { asked.value }
            }
        }
    }

    @Test func `endpoints that begin together share alike`() {
        let warmUp = WarmUp(window: .seconds(100), clock: clock)
        let handles: [EndpointHandle] = .good(5)
        let choice = PowerOfChoices(warmUp: warmUp, random: SplitMixRandom(seed: 3))
        let picks = Picks(of: handles) { choice.pick(from: handles, avoiding: [], cost: LeastRequest.load) }
        #expect(picks.areUniform)
    }
}

struct DoublePowerTests {
    @Test func `powers are those of the C library, to 12 digits`() {
        let random = SplitMixRandom(seed: 4)
        for _ in 0..<10_000 {
            let base = exp((random.unit() - 0.5) * 40)
            let exponent = (random.unit() - 0.5) * 10
            #expect(abs(base.raised(to: exponent) / pow(base, exponent) - 1) < 1e-12)
            let x = (random.unit() - 0.5) * 1000
            #expect(abs(x.exponential / exp(x) - 1) < 1e-12)
        }
    }

    @Test func `what is too small is nothing, and what is too large is infinite`() {
        #expect((-1e300).exponential == 0)
        #expect((-Double.infinity).exponential == 0)
        #expect(1e300.exponential == .infinity)
        #expect(Double.infinity.exponential == .infinity)
        #expect(0.0.exponential == 1)
    }
}
