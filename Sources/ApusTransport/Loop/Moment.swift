// SPDX-License-Identifier: Apache-2.0

/// When a timer of a queue is due, and which one it is.
struct Moment {
    let deadline: Int64
    let number: UInt64
    let seat: Int

    func isBefore(_ other: Moment) -> Bool {
        deadline != other.deadline ? deadline < other.deadline : number < other.number
    }
}

/// Moments in a row, none before the one in front of it. Timers of one duration are: adding and taking out cost the same
/// however many there are.
struct MomentRow {
    private var moments: [Moment] = []
    private var start = 0

    var count: Int { moments.count - start }
    var first: Moment? { start < moments.count ? moments[start] : nil }
    var last: Moment? { start < moments.count ? moments.last : nil }

    mutating func append(_ moment: Moment) { moments.append(moment) }

    mutating func dropFirst() {
        start += 1
        if start == moments.count {
            moments.removeAll(keepingCapacity: moments.count <= 1024)
            start = 0
        } else if start > 64, start > moments.count / 2 {
            moments.removeSubrange(..<start)
            start = 0
        }
    }

    mutating func keep(_ isKept: (Moment) -> Bool) {
        moments = moments[start...].filter(isKept)
        start = 0
    }
}

/// A binary heap of moments.
struct MomentHeap {
    private var moments: [Moment] = []

    var count: Int { moments.count }
    var first: Moment? { moments.first }

    mutating func insert(_ moment: Moment) {
        moments.append(moment)
        var index = moments.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard moment.isBefore(moments[parent]) else { break }
            moments[index] = moments[parent]
            index = parent
        }
        moments[index] = moment
    }

    mutating func dropFirst() {
        let last = moments.removeLast()
        if !moments.isEmpty { sink(last, from: 0) }
    }

    mutating func keep(_ isKept: (Moment) -> Bool) {
        moments = moments.filter(isKept)
        for index in stride(from: moments.count / 2 - 1, through: 0, by: -1) { sink(moments[index], from: index) }
    }

    private mutating func sink(_ moment: Moment, from start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < moments.count else { break }
            if child + 1 < moments.count, moments[child + 1].isBefore(moments[child]) { child += 1 }
            guard moments[child].isBefore(moment) else { break }
            moments[index] = moments[child]
            index = child
        }
        moments[index] = moment
    }
}
