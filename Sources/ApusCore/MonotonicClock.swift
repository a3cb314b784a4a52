// SPDX-License-Identifier: Apache-2.0

/// A moment on a clock that never goes back, in nanoseconds since an arbitrary start.
public struct MonotonicInstant: Sendable, Hashable, Comparable, InstantProtocol {
    /// Nanoseconds since the clock's start.
    public let nanoseconds: Int64

    /// A moment.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The moment `duration` later, held at the ends of the range instead of overflowing.
    public func advanced(by duration: Duration) -> MonotonicInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.saturatedNanoseconds)
        if overflow { return MonotonicInstant(nanoseconds: duration < .zero ? .min : .max) }
        return MonotonicInstant(nanoseconds: sum)
    }

    /// The time from here to `other`.
    public func duration(to other: MonotonicInstant) -> Duration {
        let (difference, overflow) = other.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return .nanoseconds(overflow ? (other > self ? .max : .min) : difference)
    }

    /// The nanoseconds from here to `other`, 0 if that was earlier.
    func nanoseconds(to other: MonotonicInstant) -> Int64 {
        let (difference, overflow) = other.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return other < self ? 0 : overflow ? .max : difference
    }

    /// Earlier moments first.
    public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Duration {
    /// Whole nanoseconds, held at the ends of `Int64` (292 years).
    package var saturatedNanoseconds: Int64 {
        let attoseconds = attoseconds
        // Clocks give whole nanoseconds. What is a multiple of 10⁹ = 2⁹ · 5⁹ is divided by a product with the inverse
        // of 5⁹ modulo 2⁶⁴, several times faster than by 128 bits: every call that is measured does so.
        let quotient = Int64(truncatingIfNeeded: attoseconds >> 9) &* Self.inverse
        let product = quotient.multipliedFullWidth(by: 1_000_000_000)
        let high = Int64(truncatingIfNeeded: attoseconds >> 64)
        if product.high == high, product.low == UInt64(truncatingIfNeeded: attoseconds) { return quotient }
        return Int64(clamping: attoseconds / 1_000_000_000)
    }

    // Of 5⁹ modulo 2⁶⁴.
    private static var inverse: Int64 { -8_194_354_213_138_031_507 }
}

/// The source of time for deadlines, back-off and leases: a value, so that tests can turn it by hand.
public protocol MonotonicClock: Sendable {
    /// The present moment.
    var now: MonotonicInstant { get }

    /// Waits until `deadline`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first.
    func sleep(until deadline: MonotonicInstant) async throws
}

/// The machine's continuous clock: time goes on while the machine is suspended, as it does for a call's peer.
public struct SystemClock: MonotonicClock {
    private static let start = ContinuousClock.now

    /// The machine's clock.
    public init() {}

    /// Nanoseconds since the process first asked.
    public var now: MonotonicInstant {
        MonotonicInstant(nanoseconds: (ContinuousClock.now - Self.start).saturatedNanoseconds)
    }

    /// Waits on the runtime's timer.
    public func sleep(until deadline: MonotonicInstant) async throws {
        try await Task.sleep(until: Self.start.advanced(by: .nanoseconds(deadline.nanoseconds)), clock: .continuous)
    }
}
