// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct RoundRobinTests {
    @Test(arguments: 1...12)
    func `each endpoint has its turn, in the order of the list`(count: Int) {
        let handles: [EndpointHandle] = .good(count)
        let turn = RoundRobinTurn(SplitMixRandom(seed: 1))
        let first = turn.pick(from: handles, avoiding: [])
        let start = handles.firstIndex(of: first) ?? 0
        for step in 1..<12_000 {
            #expect(turn.pick(from: handles, avoiding: []) == handles[(start + step) % count])
        }
    }

    @Test func `clients begin anywhere`() {
        let handles: [EndpointHandle] = .good(8)
        let random = SplitMixRandom(seed: 2)
        let starts = Picks(of: handles, draws: 10_000) { RoundRobinTurn(random).pick(from: handles, avoiding: []) }
        #expect(starts.areUniform)
    }

    @Test func `the calls of dead endpoints are shared evenly by the others`() {
        let states: [ConnectivityState] = [.ready, .transientFailure, .transientFailure, .ready, .idle, .shutdown]
        let handles: [EndpointHandle] = .inStates(states)
        let turn = RoundRobinTurn(SplitMixRandom(seed: 3))
        let picks = Picks(of: handles, draws: 30_000) { turn.pick(from: handles, avoiding: []) }
        #expect(picks.counts == [10_000, 0, 0, 10_000, 10_000, 0])
    }

    @Test func `an endpoint far behind many dead ones is found`() {
        let handles: [EndpointHandle] = .inStates(
            [ConnectivityState](repeating: .transientFailure, count: 999) + [.ready])
        let turn = RoundRobinTurn(SplitMixRandom(seed: 4))
        for _ in 0..<100 { #expect(turn.pick(from: handles, avoiding: []) == handles[999]) }
    }
}
