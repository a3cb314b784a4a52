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
/// Most timers are of a few durations: those of one are due in the order of their insertion, and stand in a row. Others
/// are in a heap. What is cancelled leaves its seat at once and its moment when that comes up, or when such moments are
/// more than the others: so nothing that moves is an object.
package struct TimerQueue {
    private struct Seat {
        var entry: (any TimerEntry)?
        // Of the moment that it belongs to; 0 when it is free.
        var number: UInt64
    }

    private static let mostRows = 4

    private var rows: [MomentRow] = []
    private var heap = MomentHeap()
    private var seats: [Seat] = []
    private var freeSeats: [Int] = []
    private var lastNumber: UInt64 = 0
    /// Timers that wait.
    package private(set) var count = 0

    package init() {}

    /// Moments that are kept, those of timers that were cancelled included.
    package var waitingMoments: Int { rows.reduce(heap.count) { $0 + $1.count } }

    /// The earliest deadline.
    package var next: MonotonicInstant? {
        mutating get {
            dropStale()
            return place.flatMap(first).map { MonotonicInstant(nanoseconds: $0.deadline) }
        }
    }

    package mutating func insert(_ entry: any TimerEntry, at deadline: MonotonicInstant) {
        remove(entry)
        lastNumber &+= 1
        let seat = takeSeat(Seat(entry: entry, number: lastNumber))
        entry.timer.seat = seat
        count += 1
        add(Moment(deadline: deadline.nanoseconds, number: lastNumber, seat: seat))
    }

    package mutating func remove(_ entry: any TimerEntry) {
        let seat = entry.timer.seat
        guard seat >= 0, seat < seats.count, seats[seat].entry === entry else { return }
        _ = leave(seat)
        if waitingMoments > 2 * count + 64 { compact() }
        if count == 0, seats.count > 1024 { giveBack() }
    }

    /// Takes out the earliest entry whose deadline is not after `now`.
    package mutating func popExpired(_ now: MonotonicInstant) -> (any TimerEntry)? {
        while let place, let first = first(place), first.deadline <= now.nanoseconds {
            dropFirst(place)
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

    // MARK: Moments

    private mutating func add(_ moment: Moment) {
        // Behind the latest that is not after it, so that a long duration does not end the row of a short one.
        var (best, latest) = (-1, Int64.min)
        for index in rows.indices {
            guard let last = rows[index].last else {
                if best < 0 { best = index }
                continue
            }
            if last.deadline <= moment.deadline, last.deadline >= latest { (best, latest) = (index, last.deadline) }
        }
        if best >= 0 { return rows[best].append(moment) }
        guard rows.count < Self.mostRows else { return heap.insert(moment) }
        rows.append(MomentRow())
        rows[rows.count - 1].append(moment)
    }

    // Where the earliest moment is: a row, or the heap behind the last one; nil when there is none.
    private var place: Int? {
        var found: (place: Int, moment: Moment)?
        for index in 0...rows.count {
            guard let moment = first(index) else { continue }
            if let best = found?.moment, best.isBefore(moment) { continue }
            found = (index, moment)
        }
        return found?.place
    }

    private func first(_ place: Int) -> Moment? { place < rows.count ? rows[place].first : heap.first }

    private mutating func dropFirst(_ place: Int) {
        if place < rows.count { rows[place].dropFirst() } else { heap.dropFirst() }
    }

    private mutating func dropStale() {
        for place in 0...rows.count {
            while let first = first(place), !isCurrent(first) { dropFirst(place) }
        }
    }

    private mutating func compact() {
        let isCurrent = { [seats] (moment: Moment) in seats[moment.seat].number == moment.number }
        for index in rows.indices { rows[index].keep(isCurrent) }
        heap.keep(isCurrent)
    }

    // What a burst of timers has taken.
    private mutating func giveBack() {
        heap = MomentHeap()
        rows = []
        seats = []
        freeSeats = []
    }
}
