// SPDX-License-Identifier: Apache-2.0

public import Synchronization

/// A place for one object that is set once and read by any thread without a lock.
///
/// As `AtomicLazyReference`, but inlined where it is used: that one looks up generic metadata at each load, some hundred
/// instructions in the middle of each call.
@usableFromInline
package struct OnceReference<Object: AnyObject & Sendable>: ~Copyable, Sendable {
    // The object's address, or 0. Written once, from 0, with a retain that `deinit` gives back: the object lives as long
    // as the place.
    @usableFromInline let address = Atomic<UInt>(0)

    @inlinable package init() {}

    deinit {
        guard let place = UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else { return }
        Unmanaged<Object>.fromOpaque(place).release()
    }

    /// The object, once it is there.
    @inlinable package var object: Object? {
        guard let place = UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else { return nil }
        return Unmanaged<Object>.fromOpaque(place).takeUnretainedValue()
    }

    /// Puts the object here if nothing is.
    ///
    /// - Returns: the object that is here now.
    @inlinable
    package func storeIfNil(_ new: Object) -> Object {
        let retained = Unmanaged.passRetained(new)
        let bits = UInt(bitPattern: retained.toOpaque())
        if address.compareExchange(expected: 0, desired: bits, ordering: .acquiringAndReleasing).exchanged {
            return new
        }
        retained.release()
        return object ?? new
    }
}
