// SPDX-License-Identifier: Apache-2.0

import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

@Suite(.timeLimit(.minutes(10))) struct EndpointWatchesTests {
    /// Begins a watch that lasts until it is cancelled, and counts it.
    private func add(to watches: EndpointWatches, _ ended: Count) {
        watches.add {
            await Gate().wait()
            if Task.isCancelled { ended.add() }
        }
    }

    private func reach(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    @Test func `a watch that ends is forgotten`() async {
        let (watches, gate) = (EndpointWatches(), Gate())
        watches.add { await gate.wait() }
        #expect(watches.count == 1)
        gate.open()
        await reach { watches.count == 0 }
    }

    @Test func `ended, it ends its watches and begins none`() async {
        let (watches, ended) = (EndpointWatches(), Count())
        for _ in 0..<3 { add(to: watches, ended) }
        watches.end()
        await reach { ended.value == 3 && watches.count == 0 }
        add(to: watches, ended)
        #expect(watches.count == 0)
    }

    @Test func `released, it ends its watches`() async {
        let ended = Count()
        do {
            let watches = EndpointWatches()
            for _ in 0..<3 { add(to: watches, ended) }
        }
        await reach { ended.value == 3 }
    }

    @Test func `watches that begin while it ends are ended, too`() async {
        for _ in 0..<20 {
            let (watches, begun, ended) = (EndpointWatches(), Count(), Count())
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        watches.add {
                            begun.add()
                            await Gate().wait()
                            ended.add()
                        }
                    }
                }
                group.addTask { watches.end() }
            }
            await reach { watches.count == 0 }
            #expect(begun.value == ended.value)
        }
    }
}
