// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusOTLP

@Suite struct BatchQueueTests {
    private static let start = MonotonicInstant(nanoseconds: 0)

    private var queue = BatchQueue<Int>(OTLPBatchLimits(capacity: 8, batch: 4, delay: .seconds(5)), at: start)

    private func at(_ seconds: Double) -> MonotonicInstant { Self.start.advanced(by: .seconds(seconds)) }

    private let away = RPCError(.unavailable, "scripted")

    @Test mutating func `few items wait for the delay, and none make no request`() {
        queue.add([1])
        #expect(queue.next(at: at(4.9)).wait == at(5))
        #expect(queue.next(at: at(5)).batch == [1])
        queue.ended(nil, random: 0.5, at: at(5))
        #expect(queue.next(at: at(10)).wait == at(15))
        #expect((queue.exported, queue.dropped, queue.count) == (1, 0, 0))
    }

    @Test mutating func `a whole batch goes at once, in order, and one at a time`() {
        queue.add([1, 2, 3, 4, 5])
        #expect(queue.next(at: at(0)).batch == [1, 2, 3, 4])
        #expect(queue.next(at: at(1)).more == .max)
        queue.ended(nil, random: 0.5, at: at(1))
        #expect(queue.next(at: at(1)).wait == at(5))
        #expect(queue.next(at: at(1)).more == 3)
        #expect(queue.next(at: at(5)).batch == [5])
    }

    @Test mutating func `what finds no room is dropped and counted`() {
        queue.add(Array(0..<6))
        #expect(queue.next(at: at(0)).batch == [0, 1, 2, 3])
        queue.add(Array(6..<10))
        #expect((queue.count, queue.dropped) == (8, 2))
    }

    @Test mutating func `a batch that was not taken goes again, later each time, until it is old`() {
        queue.add([1])
        var (now, sends, waits) = (at(5), 0, [Duration]())
        while queue.dropped == 0, sends < 1000 {
            switch queue.next(at: now) {
            case .send(let batch):
                #expect(batch == [1])
                sends += 1
                queue.ended(away, random: 0.5, at: now)
            case .wait(let until, _):
                waits.append(now.duration(to: until))
                now = until
            }
        }
        #expect(waits.prefix(3).map { ($0 / .milliseconds(1)).rounded() } == [1000, 1600, 2560])
        #expect(now < at(305) && now > at(270))
        #expect((queue.dropped, queue.count, queue.failures) == (1, 0, sends))
    }

    @Test mutating func `what the receiver refuses for good is dropped, and the next batch goes`() {
        queue.add(Array(0..<8))
        #expect(queue.next(at: at(0)).batch == [0, 1, 2, 3])
        queue.ended(RPCError(.invalidArgument, "scripted"), random: 0.5, at: at(0))
        #expect(queue.next(at: at(0)).batch == [4, 5, 6, 7])
        #expect(queue.dropped == 4)
    }

    @Test mutating func `a flush takes what there is, but waits as a failure demands`() {
        queue.add([1])
        #expect(queue.next(at: at(0), flushes: true).batch == [1])
        queue.ended(away, random: 0.5, at: at(0))
        #expect(queue.next(at: at(0), flushes: true).wait == at(1))
        #expect(queue.next(at: at(1), flushes: true).batch == [1])
        queue.interrupted()
        #expect(queue.next(at: at(1), flushes: true).batch == [1])
        queue.giveUp()
        #expect((queue.dropped, queue.count) == (1, 0))
    }

    @Test mutating func `in ten thousand random steps nothing is lost uncounted, reordered or above the limits`() {
        let random = SplitMixRandom(seed: 21)
        var (now, added, sent, lastTaken) = (at(0), 0, [Int](), -1)
        for _ in 0..<10_000 {
            switch random.index(below: 4) {
            case 0:
                let count = random.index(below: 4)
                queue.add(Array(added..<added + count))
                added += count
            case 1: now = now.advanced(by: .milliseconds(random.index(below: 3000)))
            default:
                if sent.isEmpty, case .send(let batch) = queue.next(at: now, flushes: random.index(below: 50) == 0) {
                    sent = batch
                    #expect((1...4).contains(batch.count) && batch == batch.sorted() && batch[0] > lastTaken)
                } else if !sent.isEmpty {
                    let ends: [RPCError?] = [nil, nil, away, RPCError(.internal, "scripted")]
                    let end = ends[random.index(below: ends.count)]
                    queue.ended(end, random: random.unit(), at: now)
                    if end == nil, let last = sent.last { lastTaken = last }
                    sent = []
                }
            }
            #expect(queue.count <= 8)
            #expect(queue.exported + queue.dropped + queue.count == added)
        }
        #expect(queue.exported > 1000 && queue.dropped > 100)
    }
}

extension BatchQueue.Step {
    fileprivate var batch: [Item]? { if case .send(let items) = self { items } else { nil } }
    fileprivate var wait: MonotonicInstant? { if case .wait(let until, _) = self { until } else { nil } }
    fileprivate var more: Int? { if case .wait(_, let more) = self { more } else { nil } }
}
