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

/// How long one key may encrypt: AES-GCM wears out after 2^24.5 records. Source: RFC 8446, section 5.5.
package struct KeyLifetime: Sendable {
    private static let records = 1 << 24
    private static let recordSize = 16 * 1024

    private var written = 0

    package init() {}

    /// Notes that bytes are about to be encrypted; true when that is to be done with a new key.
    package mutating func wears(by bytes: Int) -> Bool {
        written += 1 + bytes / Self.recordSize
        guard written > Self.records else { return false }
        written = 0
        return true
    }
}
