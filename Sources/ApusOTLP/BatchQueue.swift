// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// What waits for its export: so many at most, sent in batches, each batch again until it is taken, hopeless or old.
/// Pure. One batch is on its way at a time.
///
/// Source: OpenTelemetry specification, *Batching processor*.
struct BatchQueue<Item: Sendable>: Sendable {
    /// What is to be done now.
    enum Step {
        /// Send these, the first of which wait the longest, and tell with ``BatchQueue/ended(_:random:at:)``.
        case send([Item])
        /// Ask again at this moment, or sooner when there are so many more items.
        case wait(until: MonotonicInstant, more: Int)
    }

    /// A batch that failed for so long is given up: its place is worth more.
    static var longestTry: Duration { .seconds(300) }

    private let limits: OTLPBatchLimits
    private var course = ExportCourse(interval: .seconds(30))
    private var items: ArraySlice<Item> = []
    // The batch that is on its way, or was refused and goes again.
    private var batch: [Item] = []
    private var firstTry: MonotonicInstant?
    private var isOnItsWay = false
    private var due: MonotonicInstant
    // The receiver is left alone until then.
    private var pause: MonotonicInstant?

    /// Items in batches that were taken.
    private(set) var exported = 0
    /// Items that were given up.
    private(set) var dropped = 0
    /// Exports that were not taken.
    var failures: Int { course.failed }
    /// Items that wait, those on their way among them.
    var count: Int { items.count + batch.count }

    init(_ limits: OTLPBatchLimits, at now: MonotonicInstant) {
        self.limits = limits
        due = now.advanced(by: limits.delay)
    }

    /// Takes items as long as there is room; the others are dropped, since those that wait are older.
    mutating func add(_ new: [Item]) {
        let room = max(0, limits.capacity - count)
        items.append(contentsOf: new.prefix(room))
        dropped += max(0, new.count - room)
    }

    /// What is to be done.
    ///
    /// - Parameter flushes: sends what there is, however little and whenever the next export is due.
    mutating func next(at now: MonotonicInstant, flushes: Bool = false) -> Step {
        if let pause, now < pause { return .wait(until: pause, more: .max) }
        pause = nil
        if batch.isEmpty {
            if !flushes, items.count < limits.batch, now < due {
                return .wait(until: due, more: limits.batch - items.count)
            }
            due = now.advanced(by: limits.delay)
            batch = Array(items.prefix(limits.batch))
            items = items.dropFirst(batch.count)
        }
        guard !isOnItsWay else { return .wait(until: due, more: .max) }
        guard !batch.isEmpty else { return .wait(until: due, more: limits.batch) }
        isOnItsWay = true
        firstTry = firstTry ?? now
        return .send(batch)
    }

    /// The batch that was to be sent has been taken, or has not.
    ///
    /// - Parameter random: a uniformly random number in `0..<1`.
    mutating func ended(_ error: RPCError?, random: Double, at now: MonotonicInstant) {
        guard isOnItsWay else { return }
        isOnItsWay = false
        let wait = course.ended(error, random: random)
        guard let error else {
            exported += batch.count
            return leave()
        }
        let mayPass = ExportRefusal(error).mayPass
        if mayPass { pause = now.advanced(by: wait) }
        if mayPass, let firstTry, firstTry.duration(to: now) + wait < Self.longestTry { return }
        dropped += batch.count
        leave()
    }

    /// The batch that was to be sent was not answered because of us: it goes again.
    mutating func interrupted() { isOnItsWay = false }

    /// Gives up all that waits.
    mutating func giveUp() {
        dropped += count
        items = []
        isOnItsWay = false
        leave()
    }

    private mutating func leave() {
        batch = []
        firstTry = nil
    }
}
