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

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `timers of many durations, most of them cancelled, fire in their order`(_ seed: UInt64) {
        let random = SplitMixRandom(seed: seed)
        let durations = [10_000, 500, 60_000, 1000, 37, 10_000, 250]
        let entries = (0..<200).map(Entry.init)
        var queue = TimerQueue()
        var waiting: [Int: (deadline: Int, number: Int)] = [:]
        var (now, number) = (0, 0)
        for _ in 0..<20_000 {
            now += random.index(below: 4)
            let entry = entries[random.index(below: entries.count)]
            if random.index(below: 5) > 0 {
                let deadline = now + durations[random.index(below: durations.count)]
                queue.insert(entry, at: Self.at(deadline))
                number += 1
                waiting[entry.number] = (deadline, number)
            } else {
                queue.remove(entry)
                waiting[entry.number] = nil
            }
            while let fired = queue.popExpired(Self.at(now)) as? Entry {
                let first = waiting.min { $0.value < $1.value }
                #expect(first?.key == fired.number)
                waiting[fired.number] = nil
            }
            #expect(waiting.values.allSatisfy { $0.deadline > now } && queue.count == waiting.count)
            #expect(queue.waitingMoments <= 2 * entries.count + 65)
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

    @Test func `timers of one moment fire in the order of their insertion`() {
        var queue = TimerQueue()
        let entries = (0..<100).map(Entry.init)
        for entry in entries { queue.insert(entry, at: Self.at(5)) }
        var fired: [Int] = []
        while let entry = queue.popExpired(Self.at(5)) as? Entry { fired.append(entry.number) }
        #expect(fired == Array(0..<100))
    }

    @Test func `what is cancelled is let go at once, and costs no memory for long`() {
        var queue = TimerQueue()
        weak var last: Entry?
        for number in 0..<100_000 {
            let entry = Entry(number)
            queue.insert(entry, at: Self.at(1_000_000 + number))
            queue.remove(entry)
            last = entry
        }
        #expect(last == nil && queue.count == 0 && queue.next == nil)
        #expect(queue.waitingMoments <= 128)
    }
}
