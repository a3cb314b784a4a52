// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusInterceptors

@Suite struct BreakerWindowTests {
    private struct Entry {
        let slice: Int64
        let calls: Int
        let failures: Int
        let slow: Int
    }

    private static func at(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `over 10,000 steps it counts what a list of all calls would`(_ seed: UInt64) {
        let random = SplitMixRandom(seed: seed)
        var window = BreakerWindow(length: .nanoseconds(1000))
        var entries: [Entry] = []
        // Before the clock's start, too.
        var (now, newest) = (Int64(-20_000), Int64.min)
        for step in 0..<10_000 {
            switch random.index(below: 50) {
            case 0: now += Int64(random.index(below: 5000))
            case 1: now -= Int64(random.index(below: 300))
            default: now += Int64(random.index(below: 60))
            }
            let calls = random.index(below: 5)
            let (failures, slow) = (random.index(below: calls + 1), random.index(below: calls + 1))
            window.add(calls: calls, failures: failures, slow: slow, at: Self.at(now))
            // What is late counts as of now.
            newest = max(newest, now / 100)
            entries.append(Entry(slice: newest, calls: calls, failures: failures, slow: slow))
            if random.index(below: 500) == 0 {
                window.clear()
                entries = []
            }
            entries.removeAll { $0.slice <= newest - 10 }
            let all = entries.reduce(0) { $0 + $1.calls }
            func share(_ part: (Entry) -> Int) -> Double {
                all == 0 ? 0 : Double(entries.reduce(0) { $0 + part($1) }) / Double(all)
            }
            guard window.calls != all || window.failureRate != share(\.failures) || window.slowRate != share(\.slow)
            else { continue }
            Issue.record("step \(step): \(window.calls) calls, of which there are \(all)")
            return
        }
    }

    @Test func `a length of nothing is a window of ten nanoseconds`() {
        var window = BreakerWindow(length: .zero)
        window.add(calls: 1, failures: 1, slow: 0, at: Self.at(0))
        #expect(window.calls == 1 && window.failureRate == 1 && window.slowRate == 0)
        window.add(calls: 0, failures: 0, slow: 0, at: Self.at(10))
        #expect(window.calls == 0 && window.failureRate == 0)
    }
}
