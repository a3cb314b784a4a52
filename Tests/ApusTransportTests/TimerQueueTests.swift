// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

private final class Entry: TimerEntry {
    var timer = TimerPosition()
    let number: Int
    init(_ number: Int) { self.number = number }
    func timerFired() {}
}

@Suite struct TimerQueueTests {
    private static func at(_ nanoseconds: Int) -> MonotonicInstant { MonotonicInstant(nanoseconds: Int64(nanoseconds)) }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `over random histories it fires what a sorted list would`(_ seed: UInt64) {
        let random = SplitMixRandom(seed: seed)
        let entries = (0..<400).map(Entry.init)
        var queue = TimerQueue()
        var oracle: [Int: Int] = [:]
        var now = 0
        for _ in 0..<10_000 {
            let entry = entries[random.index(below: entries.count)]
            switch random.index(below: 10) {
            case 0..<6:
                let deadline = now + random.index(below: 1000)
                queue.insert(entry, at: Self.at(deadline))
                oracle[entry.number] = deadline
            case 6..<9:
                queue.remove(entry)
                oracle[entry.number] = nil
            default:
                now += random.index(below: 100)
                while let fired = queue.popExpired(Self.at(now)) as? Entry {
                    #expect(oracle[fired.number] == oracle.values.min())
                    #expect(!fired.timer.isScheduled)
                    oracle[fired.number] = nil
                }
                #expect(oracle.values.allSatisfy { $0 > now })
            }
            #expect(queue.count == oracle.count && queue.next == oracle.values.min().map(Self.at))
            #expect(entry.timer.isScheduled == (oracle[entry.number] != nil))
        }
    }

    @Test func `an entry of another queue is left alone`() {
        var first = TimerQueue()
        var second = TimerQueue()
        let entry = Entry(1)
        first.insert(entry, at: Self.at(1))
        second.insert(Entry(2), at: Self.at(1))
        second.remove(entry)
        #expect(first.count == 1 && second.count == 1 && entry.timer.isScheduled)
    }
}
