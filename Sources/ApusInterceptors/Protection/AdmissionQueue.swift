// SPDX-License-Identifier: Apache-2.0

/// Who of those that want to run does: so many at once, and a bounded queue by priority before them.
struct AdmissionQueue: Sendable {
    enum Arrival: Equatable {
        case runs
        case waits
        /// Waits in the place of this one, which is less important and must go.
        case displaces(UInt64)
        case fails
    }

    /// Priorities: 0 is the least important.
    static let levels = 10

    /// How many may run at once.
    var limit: Int
    /// How many may wait.
    let capacity: Int
    private(set) var running = 0
    private(set) var waiting = 0
    private var queues = [[UInt64]](repeating: [], count: levels)

    init(limit: Int, capacity: Int) {
        self.limit = max(1, limit)
        self.capacity = max(0, capacity)
    }

    /// Whether an arrival of this priority would fail now.
    func refuses(_ priority: Int) -> Bool {
        guard running >= limit || waiting > 0, waiting >= capacity else { return false }
        return !queues[..<Self.level(priority)].contains { !$0.isEmpty }
    }

    /// Runs at once if there is room and nobody waits.
    mutating func runs() -> Bool {
        guard waiting == 0, running < limit else { return false }
        running += 1
        return true
    }

    /// Somebody comes.
    mutating func arrive(_ id: UInt64, priority: Int) -> Arrival {
        if runs() { return .runs }
        let level = Self.level(priority)
        guard waiting >= capacity else {
            queues[level].append(id)
            waiting += 1
            return .waits
        }
        // The newest of the least important: it has waited for the shortest time.
        guard let lowest = queues[..<level].firstIndex(where: { !$0.isEmpty }), let displaced = queues[lowest].popLast()
        else { return .fails }
        queues[level].append(id)
        return .displaces(displaced)
    }

    /// Somebody who ran has left: who runs now.
    mutating func left() -> [UInt64] {
        running -= 1
        return startable()
    }

    /// Who may run now, after the limit grew.
    mutating func startable() -> [UInt64] {
        var started: [UInt64] = []
        while running < limit, let level = queues.lastIndex(where: { !$0.isEmpty }) {
            started.append(queues[level].removeFirst())
            waiting -= 1
            running += 1
        }
        return started
    }

    /// Somebody waits no longer.
    ///
    /// - Returns: whether they did.
    mutating func gaveUp(_ id: UInt64) -> Bool {
        for level in queues.indices {
            guard let index = queues[level].firstIndex(of: id) else { continue }
            queues[level].remove(at: index)
            waiting -= 1
            return true
        }
        return false
    }

    private static func level(_ priority: Int) -> Int { min(max(0, priority), levels - 1) }
}
