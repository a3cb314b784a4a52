// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Something that happens at a moment. Its name in its queue is kept in the entry, so that taking it out again is quick:
/// nearly every timer of a call is cancelled.
package protocol TimerEntry: AnyObject {
    var timer: TimerPosition { get set }
    func timerFired()
}

/// An entry's name in its queue.
package struct TimerPosition {
    fileprivate var seat = -1

    package init() {}

    package var isScheduled: Bool { seat >= 0 }
}

/// A timer of its own, for owners that need several.
package final class LoopTimer: TimerEntry {
    @exclusivity(unchecked) package var timer = TimerPosition()
    private let action: () -> Void

    package init(_ action: @escaping () -> Void) { self.action = action }

    package func timerFired() { action() }
}

/// Timers in the order of their deadlines, those of one deadline in the order of their insertion. Confined to its loop;
/// knows no clock.
///
/// A binary heap of plain moments. What is cancelled leaves its seat at once and its moment when that comes up, or when
/// such moments are more than the others: so nothing that moves in the heap is an object.
package struct TimerQueue {
    private struct Moment {
        let deadline: Int64
        let number: UInt64
        let seat: Int

        func isBefore(_ other: Moment) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : number < other.number
        }
    }

    private struct Seat {
        var entry: (any TimerEntry)?
        // Of the moment that it belongs to; 0 when it is free.
        var number: UInt64
    }

    private var heap: [Moment] = []
    private var seats: [Seat] = []
    private var freeSeats: [Int] = []
    private var lastNumber: UInt64 = 0
    /// Timers that wait.
    package private(set) var count = 0

    package init() {}

    /// Moments in the heap, those of timers that were cancelled included.
    package var waitingMoments: Int { heap.count }

    /// The earliest deadline.
    package var next: MonotonicInstant? {
        mutating get {
            dropStale()
            return heap.first.map { MonotonicInstant(nanoseconds: $0.deadline) }
        }
    }

    package mutating func insert(_ entry: any TimerEntry, at deadline: MonotonicInstant) {
        remove(entry)
        lastNumber &+= 1
        let seat = takeSeat(Seat(entry: entry, number: lastNumber))
        entry.timer.seat = seat
        count += 1
        rise(Moment(deadline: deadline.nanoseconds, number: lastNumber, seat: seat))
    }

    package mutating func remove(_ entry: any TimerEntry) {
        let seat = entry.timer.seat
        guard seat >= 0, seat < seats.count, seats[seat].entry === entry else { return }
        _ = leave(seat)
        if heap.count > 2 * count + 64 { compact() }
        if count == 0, seats.count > 1024 { giveBack() }
    }

    /// Takes out the earliest entry whose deadline is not after `now`.
    package mutating func popExpired(_ now: MonotonicInstant) -> (any TimerEntry)? {
        while let first = heap.first, first.deadline <= now.nanoseconds {
            dropFirst()
            if isCurrent(first) { return leave(first.seat) }
        }
        return nil
    }

    // MARK: Seats

    private mutating func takeSeat(_ seat: Seat) -> Int {
        guard let free = freeSeats.popLast() else {
            seats.append(seat)
            return seats.count - 1
        }
        seats[free] = seat
        return free
    }

    private mutating func leave(_ seat: Int) -> (any TimerEntry)? {
        let entry = seats[seat].entry.take()
        seats[seat].number = 0
        freeSeats.append(seat)
        entry?.timer.seat = -1
        count -= 1
        return entry
    }

    private func isCurrent(_ moment: Moment) -> Bool { seats[moment.seat].number == moment.number }

    // MARK: The heap

    private mutating func dropStale() {
        while let first = heap.first, !isCurrent(first) { dropFirst() }
    }

    private mutating func compact() {
        heap = heap.filter(isCurrent)
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(heap[index], from: index) }
    }

    // What a burst of timers has taken.
    private mutating func giveBack() {
        heap = []
        seats = []
        freeSeats = []
    }

    private mutating func dropFirst() {
        let last = heap.removeLast()
        if !heap.isEmpty { sink(last, from: 0) }
    }

    private mutating func rise(_ moment: Moment) {
        heap.append(moment)
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard moment.isBefore(heap[parent]) else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = moment
    }

    private mutating func sink(_ moment: Moment, from start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(moment) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = moment
    }
}
