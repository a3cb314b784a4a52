// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A place for one object that any thread reads without a lock or a wait, and that seldom is replaced.
package final class SwappedReference<Object: AnyObject & Sendable>: Sendable {
    // The object's address, retained here. A reader takes its own reference while `readers` counts it, so an object
    // that was replaced is released only when a count of zero was seen after it had left the place.
    private let address: Atomic<UInt>
    private let readers = Atomic<Int>(0)
    private let replaced = Mutex<[Object]>([])

    package init(_ object: Object) {
        address = Atomic(UInt(bitPattern: Unmanaged.passRetained(object).toOpaque()))
    }

    deinit { _ = Self.take(address.load(ordering: .sequentiallyConsistent)) }

    /// The object that is here now; nil never happens, as the place is never empty.
    package var object: Object? {
        readers.add(1, ordering: .sequentiallyConsistent)
        defer { readers.subtract(1, ordering: .sequentiallyConsistent) }
        guard let place = UnsafeRawPointer(bitPattern: address.load(ordering: .sequentiallyConsistent)) else {
            return nil
        }
        return Unmanaged<Object>.fromOpaque(place).takeUnretainedValue()
    }

    /// Puts another object here. The old one is released at once, or at a later replacement when readers are always
    /// busy; at most ``kept`` wait for that.
    package func replace(with object: Object) {
        let new = UInt(bitPattern: Unmanaged.passRetained(object).toOpaque())
        let old = Self.take(address.exchange(new, ordering: .sequentiallyConsistent))
        let free = replaced.withLock { replaced in
            if let old { replaced.append(old) }
            guard isUnread(patient: replaced.count > Self.kept) else { return [Object]() }
            defer { replaced = [] }
            return replaced
        }
        _ = free
    }

    private static var kept: Int { 16 }

    // A reader is in between for some nanoseconds: a moment without one comes soon.
    private func isUnread(patient: Bool) -> Bool {
        for _ in 0..<(patient ? Int.max : 1000) where readers.load(ordering: .sequentiallyConsistent) == 0 {
            return true
        }
        return false
    }

    private static func take(_ bits: UInt) -> Object? {
        UnsafeRawPointer(bitPattern: bits).map { Unmanaged<Object>.fromOpaque($0).takeRetainedValue() }
    }
}
