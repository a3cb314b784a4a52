// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// How many handshake messages a peer may send once the handshake is over (KeyUpdate, NewSessionTicket): 32, then one
/// a minute. OpenSSL would take them without end, at 34 µs each.
package struct KeyUpdateBudget: Sendable {
    private static let burst: Int64 = 32
    private static let interval: Int64 = 60_000_000_000

    private var left = KeyUpdateBudget.burst
    private var refilled: MonotonicInstant

    package init(now: MonotonicInstant) { refilled = now }

    /// Takes one; false when there is none left.
    package mutating func take(now: MonotonicInstant) -> Bool {
        let earned = refilled.duration(to: now).saturatedNanoseconds / Self.interval
        if earned > 0 {
            left = min(Self.burst, left + min(earned, Self.burst))
            refilled = refilled.advanced(by: .nanoseconds(earned * Self.interval))
        }
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}
