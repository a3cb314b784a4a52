// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct PickFirstTests {
    @Test func `all calls go to the first of the list while it works`() {
        let handles: [EndpointHandle] = .good(5)
        let order = PickFirstMemory(shuffling: nil).order(of: handles)
        for _ in 0..<10_000 { #expect(order.pick(avoiding: []) == handles[0]) }
    }

    @Test func `when its connection fails the first that is good takes over, and keeps the calls`() {
        let handles: [EndpointHandle] = .inStates([.ready, .transientFailure, .idle, .ready])
        let order = PickFirstMemory(shuffling: nil).order(of: handles)
        #expect(order.pick(avoiding: []) == handles[0])
        handles[0].connectivity = .transientFailure
        #expect(order.pick(avoiding: []) == handles[2])
        handles[0].connectivity = .ready
        handles[1].connectivity = .ready
        for _ in 0..<100 { #expect(order.pick(avoiding: []) == handles[2]) }
    }

    @Test func `an ejected endpoint loses its calls`() {
        let handles: [EndpointHandle] = .good(2)
        let order = PickFirstMemory(shuffling: nil).order(of: handles)
        #expect(order.pick(avoiding: []) == handles[0])
        handles[0].eject()
        #expect(order.pick(avoiding: []) == handles[1])
        handles[0].readmit()
        #expect(order.pick(avoiding: []) == handles[1])
    }

    @Test func `a call that failed there goes elsewhere, and the next call does not`() {
        let handles: [EndpointHandle] = .good(3)
        let order = PickFirstMemory(shuffling: nil).order(of: handles)
        #expect(order.pick(avoiding: []) == handles[0])
        #expect(order.pick(avoiding: [handles[0]]) == handles[1])
        #expect(order.pick(avoiding: [handles[0], handles[1]]) == handles[2])
        #expect(order.pick(avoiding: handles) == handles[0])
        #expect(order.pick(avoiding: []) == handles[0])
    }

    @Test func `when none can be reached the first is tried, and nothing is settled`() {
        let handles: [EndpointHandle] = .inStates([.shutdown, .transientFailure, .transientFailure])
        let order = PickFirstMemory(shuffling: nil).order(of: handles)
        #expect(order.pick(avoiding: []) == handles[1])
        handles[2].connectivity = .ready
        #expect(order.pick(avoiding: []) == handles[2])
    }

    @Test func `a new list keeps the choice when it still has it`() {
        let handles: [EndpointHandle] = .good(4)
        let memory = PickFirstMemory(shuffling: nil)
        let first = memory.order(of: handles)
        handles[0].connectivity = .transientFailure
        #expect(first.pick(avoiding: []) == handles[1])
        handles[0].connectivity = .ready
        #expect(memory.order(of: handles.reversed()).pick(avoiding: []) == handles[1])
        #expect(memory.order(of: [handles[0], handles[2]]).pick(avoiding: []) == handles[0])
    }

    @Test func `shuffled, each endpoint of a list is as likely to be the first`() {
        let handles: [EndpointHandle] = .good(6)
        let random = SplitMixRandom(seed: 1)
        let picks = Picks(of: handles, draws: 20_000) {
            PickFirstMemory(shuffling: random).order(of: handles).pick(avoiding: [])
        }
        #expect(picks.areUniform)
    }

    @Test func `the choice does not keep an endpoint alive`() {
        let memory = PickFirstMemory(shuffling: nil)
        weak var gone: EndpointHandle?
        do {
            let handles: [EndpointHandle] = .good(1)
            gone = handles[0]
            #expect(memory.order(of: handles).pick(avoiding: []) == handles[0])
        }
        #expect(gone == nil)
    }

    /// The rule, told over a plain list.
    private struct Plain {
        var list: [EndpointHandle] = []
        var current: EndpointHandle?
        var remembered: EndpointHandle?

        private static func rank(_ handle: EndpointHandle, _ avoided: [EndpointHandle]) -> Int {
            switch handle.connectivity {
            case .shutdown: 4
            case .transientFailure: 3
            default: handle.isEjected ? 2 : avoided.contains(handle) ? 1 : 0
            }
        }

        mutating func take(_ list: [EndpointHandle]) {
            self.list = list
            current = remembered.flatMap { list.contains($0) ? $0 : nil }
        }

        mutating func pick(_ avoided: [EndpointHandle]) -> EndpointHandle? {
            if let current, Self.rank(current, avoided) == 0 { return current }
            let ranks = list.map { Self.rank($0, avoided) }
            let best = ranks.min().flatMap { ranks.firstIndex(of: $0) }.map { list[$0] }
            if let current, Self.rank(current, avoided) == 1 { return best }
            if ranks.contains(0) { (current, remembered) = (best, best) }
            return best
        }
    }

    @Test func `over ten thousand random steps the calls go where a plain list says`() {
        let random = SplitMixRandom(seed: 19)
        let all: [EndpointHandle] = .good(6)
        let memory = PickFirstMemory(shuffling: nil)
        var (order, plain, changes) = (memory.order(of: all), Plain(), 0)
        plain.take(all)
        for _ in 0..<10_000 {
            let handle = all[random.index(below: all.count)]
            switch random.index(below: 12) {
            case 0:
                let states: [ConnectivityState] = [.idle, .connecting, .transientFailure, .shutdown, .ready]
                handle.connectivity = states[random.index(below: states.count)]
            case 1: if handle.isEjected { handle.readmit() } else { handle.eject() }
            case 2:
                var list = all.filter { _ in random.index(below: 3) > 0 }
                if list.isEmpty { list = all }
                list.swapAt(0, random.index(below: list.count))
                order = memory.order(of: list)
                plain.take(list)
            default:
                let avoided = random.index(below: 3) == 0 ? all.filter { _ in random.index(below: 4) == 0 } : []
                let before = plain.remembered
                #expect(order.pick(avoiding: avoided) === plain.pick(avoided))
                if before !== plain.remembered { changes += 1 }
            }
        }
        #expect(changes > 200)
    }
}
