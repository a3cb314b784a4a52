// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Something that happens at a moment. Where it stands in its queue is kept in the entry, so that taking it out
/// again is quick: nearly every timer of a call is cancelled.
package protocol TimerEntry: AnyObject {
    var timer: TimerPosition { get set }
    func timerFired()
}

/// An entry's place in its queue.
package struct TimerPosition {
    fileprivate var index = -1
    fileprivate var deadline = MonotonicInstant(nanoseconds: 0)

    package init() {}

    package var isScheduled: Bool { index >= 0 }
}

/// A timer of its own, for owners that need several.
package final class LoopTimer: TimerEntry {
    package var timer = TimerPosition()
    private let action: () -> Void

    package init(_ action: @escaping () -> Void) { self.action = action }

    package func timerFired() { action() }
}

/// A binary heap of timers by deadline. Confined to its loop; knows no clock.
package struct TimerQueue {
    private var heap: [any TimerEntry] = []

    package init() {}

    package var next: MonotonicInstant? { heap.first?.timer.deadline }
    package var count: Int { heap.count }

    package mutating func insert(_ entry: any TimerEntry, at deadline: MonotonicInstant) {
        remove(entry)
        entry.timer.deadline = deadline
        entry.timer.index = heap.count
        heap.append(entry)
        rise(heap.count - 1)
    }

    package mutating func remove(_ entry: any TimerEntry) {
        let index = entry.timer.index
        guard index >= 0, index < heap.count, heap[index] === entry else { return }
        entry.timer.index = -1
        let last = heap.removeLast()
        guard index < heap.count else { return }
        place(last, at: index)
        rise(index)
        sink(last.timer.index)
    }

    /// Takes out the earliest entry whose deadline is not after `now`.
    package mutating func popExpired(_ now: MonotonicInstant) -> (any TimerEntry)? {
        guard let first = heap.first, first.timer.deadline <= now else { return nil }
        remove(first)
        return first
    }

    private mutating func place(_ entry: any TimerEntry, at index: Int) {
        heap[index] = entry
        entry.timer.index = index
    }

    private mutating func rise(_ start: Int) {
        var index = start
        let entry = heap[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.timer.deadline < heap[parent].timer.deadline else { break }
            place(heap[parent], at: index)
            index = parent
        }
        place(entry, at: index)
    }

    private mutating func sink(_ start: Int) {
        var index = start
        let entry = heap[index]
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].timer.deadline < heap[child].timer.deadline { child += 1 }
            guard heap[child].timer.deadline < entry.timer.deadline else { break }
            place(heap[child], at: index)
            index = child
        }
        place(entry, at: index)
    }
}
