// SPDX-License-Identifier: Apache-2.0

import ApusCore
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

    @Test func `over ten thousand random steps those run that were begun and not ended`() async {
        struct Plain {
            var watches = EndpointWatches()
            var running: [Gate] = []
            var hasEnded = false
        }
        let random = SplitMixRandom(seed: 14)
        var (all, begun, over) = ((0..<4).map { _ in Plain() }, 0, 0)
        let (started, ended) = (Count(), Count())
        for _ in 0..<10_000 {
            let index = random.index(below: all.count)
            switch random.index(below: 40) {
            case 0:
                all[index].watches.end()
                over += all[index].running.count
                (all[index].running, all[index].hasEnded) = ([], true)
            case 1:
                over += all[index].running.count
                all[index] = Plain()
            case 2..<16:
                guard let gate = all[index].running.popLast() else { continue }
                over += 1
                gate.open()
            default:
                let gate = Gate()
                all[index].watches.add {
                    started.add()
                    await gate.wait()
                    ended.add()
                }
                guard !all[index].hasEnded else { continue }
                all[index].running.append(gate)
                begun += 1
            }
            await reach { ended.value == over && all[index].watches.count == all[index].running.count }
            #expect(all.map(\.watches.count) == all.map(\.running.count))
        }
        await reach { started.value == begun }
        #expect(over > 2000 && begun > over)
    }
}
