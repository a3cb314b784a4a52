// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct EndpointPreferenceTests {
    private let avoided = EndpointHandle(.local(0))

    @Test func `what speaks against an endpoint is weighed`() {
        func preference(_ state: ConnectivityState, ejected: Bool = false, avoiding: Bool = false) -> EndpointPreference
        {
            let handle = EndpointHandle(.local(1))
            handle.connectivity = state
            if ejected { handle.eject() }
            return EndpointPreference(handle, avoiding: avoiding ? [avoided, handle] : [avoided])
        }
        for state in [ConnectivityState.idle, .connecting, .ready] {
            #expect(preference(state) == .fresh)
            #expect(preference(state, avoiding: true) == .failedThisCall)
            #expect(preference(state, ejected: true, avoiding: true) == .ejected)
        }
        #expect(preference(.transientFailure, ejected: true, avoiding: true) == .unreachable)
        #expect(preference(.shutdown, ejected: true) == .gone)
        #expect(EndpointPreference.allCases.sorted() == [.fresh, .failedThisCall, .ejected, .unreachable, .gone])
    }

    @Test func `the first of the best class is the first in the order`() {
        let handles: [EndpointHandle] = .inStates([.shutdown, .transientFailure, .ready, .transientFailure, .idle])
        #expect(EndpointPreference.first(of: handles, avoiding: []) == handles[2])
        #expect(EndpointPreference.first(of: handles, avoiding: [handles[2]]) == handles[4])
        #expect(EndpointPreference.first(of: handles, avoiding: [handles[2], handles[4]]) == handles[2])
        #expect(EndpointPreference.first(of: handles.prefix(2), avoiding: []) == handles[1])
        #expect(EndpointPreference.first(of: [EndpointHandle](), avoiding: []) == nil)
    }

    typealias Pick = ([EndpointHandle], [EndpointHandle]) -> EndpointHandle

    /// How each balancer decides, over the same endpoints all along.
    private func picks(_ handles: [EndpointHandle], _ random: any RandomSource) -> [(name: String, pick: Pick)] {
        let turn = RoundRobinTurn(random)
        let choice = PowerOfChoices(random: random)
        let weighted = WeightedPick(warmUp: nil, random: random)
        let alias = AliasTable(weights: EndpointWeights.relative(handles))
        let order = PickFirstMemory(shuffling: random).order(of: handles)
        let ring = HashRing(handles, HashRing.Sizes(minimum: 16, maximum: 64))
        let maglev = MaglevTable(handles, size: 31)
        return [
            ("RandomPick", { RandomPick.pick(from: $0, avoiding: $1, random) }),
            ("RoundRobinTurn", { turn.pick(from: $0, avoiding: $1) }),
            ("PowerOfChoices", { choice.pick(from: $0, avoiding: $1, cost: LeastRequest.load) }),
            ("WeightedPick", { weighted.pick(from: $0, alias, avoiding: $1) }),
            ("PickFirstOrder", { order.pick(avoiding: $1) }),
            ("HashRing", { ring.slots.pick(from: ring.place(of: random.next()), avoiding: $1) }),
            ("MaglevTable", { maglev.slots.pick(from: maglev.slot(of: random.next()), avoiding: $1) }),
        ]
    }

    @Test(arguments: 1...4)
    func `over ten thousand changes every balancer picks from the best class`(seed: UInt64) {
        let random = SplitMixRandom(seed: seed)
        let handles: [EndpointHandle] = .weighing((0..<9).map { $0 == 4 ? 0 : random.unit() + 0.1 })
        let picks = picks(handles, random)
        let states: [ConnectivityState] = [.idle, .ready, .transientFailure, .shutdown, .transientFailure]
        for step in 0..<10_000 {
            let handle = handles[random.index(below: handles.count)]
            switch random.index(below: 4) {
            case 0: handle.isEjected ? handle.readmit() : handle.eject()
            case 1: step.isMultiple(of: 2) ? handle.callStarted() : handle.callEnded()
            default: handle.connectivity = states[random.index(below: states.count)]
            }
            let avoided = handles.filter { _ in random.index(below: 4) == 0 }
            let best = handles.map { EndpointPreference($0, avoiding: avoided) }.min()
            let (name, pick) = picks[step % picks.count]
            #expect(EndpointPreference(pick(handles, avoided), avoiding: avoided) == best, "\(name)")
        }
    }
}
