// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Finds what belongs to a key without a lock, up to a number of keys. Nothing is ever taken out.
final class SeriesTable<Series: AnyObject & Sendable>: Sendable {
    // Owned from init to deinit; the places in it may be shared.
    private nonisolated(unsafe) let slots: UnsafeMutablePointer<OnceReference<Series>>
    private let capacity: Int
    private let limit: Int
    private let used = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
        var capacity = 8
        // At most half full: a search ends soon.
        while capacity < limit * 2 { capacity *= 2 }
        self.capacity = capacity
        slots = .allocate(capacity: capacity)
        for index in 0..<capacity { (slots + index).initialize(to: OnceReference()) }
    }

    deinit {
        slots.deinitialize(count: capacity)
        slots.deallocate()
    }

    /// What belongs to the key that `matches` knows and that has this hash; made when it is not there.
    ///
    /// - Returns: nil when the table is full.
    func series(hash: Int, where matches: (Series) -> Bool, make: () -> Series) -> Series? {
        var slot = Self.spread(hash) & (capacity - 1)
        var new: Series?
        while true {
            if let known = slots[slot].object {
                if matches(known) {
                    if new != nil { used.wrappingSubtract(1, ordering: .relaxed) }
                    return known
                }
                slot = (slot + 1) & (capacity - 1)
                continue
            }
            if new == nil {
                guard reserve() else { return nil }
                new = make()
            }
            // Who is second finds the first one's in the next round, and looks whether it is the same key's.
            if let new, slots[slot].storeIfNil(new) === new { return new }
        }
    }

    private func reserve() -> Bool {
        if used.wrappingAdd(1, ordering: .relaxed).oldValue < limit { return true }
        used.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    private static func spread(_ hash: Int) -> Int {
        let mixed = UInt64(truncatingIfNeeded: hash) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32)
    }
}
