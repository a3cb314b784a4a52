// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct LeastRequestTests {
    /// The largest number of calls at one of 500 endpoints, when 10,000 calls began and none ended, over their mean.
    private func excess(_ pick: ([EndpointHandle]) -> EndpointHandle) -> Double {
        let handles: [EndpointHandle] = .good(500)
        for _ in 0..<10_000 { pick(handles).callStarted() }
        return Double(handles.map(\.callsInFlight).max() ?? 0) / 20
    }

    @Test(arguments: 1...5)
    func `two choices keep the longest queue short where one does not`(seed: UInt64) {
        let random = SplitMixRandom(seed: seed)
        let two = PowerOfChoices(random: random)
        #expect(excess { two.pick(from: $0, avoiding: [], cost: LeastRequest.load) } <= 1.5)
        #expect(excess { RandomPick.pick(from: $0, avoiding: [], random) } > 1.5)
    }

    @Test func `more choices keep it shorter`() {
        let random = SplitMixRandom(seed: 9)
        let many = PowerOfChoices(choices: 10, random: random)
        let two = PowerOfChoices(random: random)
        let ofMany = excess { many.pick(from: $0, avoiding: [], cost: LeastRequest.load) }
        #expect(ofMany < excess { two.pick(from: $0, avoiding: [], cost: LeastRequest.load) })
    }

    @Test func `endpoints without calls are equally likely`() {
        let handles: [EndpointHandle] = .good(7)
        let choice = PowerOfChoices(random: SplitMixRandom(seed: 1))
        let picks = Picks(of: handles) { choice.pick(from: handles, avoiding: [], cost: LeastRequest.load) }
        #expect(picks.areUniform)
    }

    @Test func `of two the one with fewer calls is always chosen`() {
        let handles: [EndpointHandle] = .good(2)
        handles[0].callStarted()
        let choice = PowerOfChoices(choices: -5, random: SplitMixRandom(seed: 2))
        for _ in 0..<1000 { #expect(choice.pick(from: handles, avoiding: [], cost: LeastRequest.load) == handles[1]) }
    }

    @Test func `the busiest of many is never chosen, and dead ones cost nobody a choice`() {
        let handles: [EndpointHandle] = .inStates([.ready, .transientFailure, .ready, .transientFailure])
        handles[0].callStarted()
        let choice = PowerOfChoices(random: SplitMixRandom(seed: 3))
        let picks = Picks(of: handles, draws: 10_000) {
            choice.pick(from: handles, avoiding: [], cost: LeastRequest.load)
        }
        // Only draws that met no good other leave the busy one: 1 of 4,000.
        #expect(picks.counts[2] > 9950 && picks.counts[1] + picks.counts[3] == 0)
    }

    @Test func `when all are bad the less loaded of the least bad is chosen`() {
        let handles: [EndpointHandle] = .inStates([.transientFailure, .shutdown, .transientFailure])
        handles[0].callStarted()
        let choice = PowerOfChoices(random: SplitMixRandom(seed: 4))
        for _ in 0..<1000 { #expect(choice.pick(from: handles, avoiding: [], cost: LeastRequest.load) == handles[2]) }
    }

    @Test func `an endpoint of three times the weight has three times the calls`() {
        let handles: [EndpointHandle] = .weighing([1, 3])
        let choice = PowerOfChoices(random: SplitMixRandom(seed: 5))
        for _ in 0..<10_000 { choice.pick(from: handles, avoiding: [], cost: LeastRequest.load).callStarted() }
        #expect(abs(handles[0].callsInFlight - 2500) <= 2)
    }

    @Test(arguments: [0, -1, .nan, .infinity, -.infinity] as [Double])
    func `a bad weight counts as one`(_ weight: Double) {
        let handle = EndpointHandle(Endpoint(host: "a", port: 1, weight: weight))
        handle.callStarted()
        #expect(LeastRequest.load(of: handle) == 2)
    }
}
