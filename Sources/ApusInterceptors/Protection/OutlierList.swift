// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The endpoints among which some calls choose: their counts, and whether there were such calls in this interval.
final class OutlierList: Sendable {
    let tallies: [OutlierTally]
    private let isInUse = Atomic<Bool>(false)
    private let isListed = Atomic<Bool>(false)

    init(_ tallies: [OutlierTally]) { self.tallies = tallies }

    /// A call chooses here.
    func use() {
        // Read first: a line of memory that all calls write would be theirs in turn.
        if !isInUse.load(ordering: .relaxed) { isInUse.store(true, ordering: .relaxed) }
    }

    /// Whether there were calls since this was asked last.
    func takeUse() -> Bool { isInUse.exchange(false, ordering: .relaxed) }

    /// True for the first that asks: who keeps account of all lists.
    func claimListing() -> Bool {
        !isListed.load(ordering: .relaxed) && !isListed.exchange(true, ordering: .relaxed)
    }
}

/// The lists that calls of a channel choose from. Snapshots of a service come and go; this keeps none of them alive.
struct OutlierLists: Sendable {
    private struct Place {
        weak var list: OutlierList?
    }

    private var places: [Place] = []

    mutating func add(_ list: OutlierList) { places.append(Place(list: list)) }

    /// Those that are left, in the order in which they came.
    mutating func living() -> [OutlierList] {
        places.removeAll { $0.list == nil }
        return places.compactMap(\.list)
    }
}
