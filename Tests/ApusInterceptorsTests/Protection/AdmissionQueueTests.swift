// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusInterceptors

struct AdmissionQueueTests {
    @Test func `what is important goes first, and then what came first`() {
        var queue = AdmissionQueue(limit: 1, capacity: 4)
        _ = queue.runs()
        for (id, priority) in [(1, 5), (2, 9), (3, 5), (4, 0)] {
            let arrival = queue.arrive(UInt64(id), priority: priority)
            #expect(arrival == .waits)
        }
        let order = (0..<5).flatMap { _ in queue.left() }
        #expect(order == [2, 1, 3, 4])
        #expect(queue.running == 0)
    }

    @Test func `a full queue lets the important displace the newest of the least important`() {
        var queue = AdmissionQueue(limit: 1, capacity: 2)
        _ = queue.runs()
        _ = queue.arrive(1, priority: 3)
        _ = queue.arrive(2, priority: 3)
        #expect(queue.refuses(3) && !queue.refuses(4))
        let (equal, higher) = (queue.arrive(3, priority: 3), queue.arrive(4, priority: 100))
        #expect(equal == .fails)
        #expect(higher == .displaces(2))
        #expect(queue.waiting == 2)
    }

    @Test func `over ten thousand random steps the bounds hold and everybody gets an answer`() {
        let random = SplitMixRandom(seed: 6)
        var queue = AdmissionQueue(limit: 5, capacity: 20)
        var (waiting, running, next) = (Set<UInt64>(), 0, UInt64(0))
        for _ in 0..<10_000 {
            switch random.index(below: 4) {
            case 0, 1:
                next += 1
                let (priority, refuses) = (random.index(below: 12) - 1, queue.refuses(0))
                switch queue.arrive(next, priority: priority) {
                case .runs: running += 1
                case .waits: waiting.insert(next)
                case .displaces(let other):
                    #expect(waiting.remove(other) != nil)
                    waiting.insert(next)
                    #expect(refuses)
                case .fails: #expect(queue.waiting == 20)
                }
            case 2 where running > 0:
                let started = queue.left()
                running += started.count - 1
                for id in started { #expect(waiting.remove(id) != nil) }
            case 3 where random.index(below: 10) == 0:
                queue.limit = 1 + random.index(below: 8)
                let started = queue.startable()
                running += started.count
                for id in started { #expect(waiting.remove(id) != nil) }
            default:
                guard !waiting.isEmpty else { continue }
                let id = waiting.sorted()[random.index(below: waiting.count)]
                waiting.remove(id)
                let gaveUp = (queue.gaveUp(id), queue.gaveUp(id))
                #expect(gaveUp == (true, false))
            }
            #expect(queue.running == running && queue.waiting == waiting.count)
            #expect(queue.waiting <= 20 && queue.running <= 8)
            // Nobody waits while there is room.
            #expect(waiting.isEmpty || running >= queue.limit)
        }
    }
}
