// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// When to ask a silent peer whether it is still there, and when to give it up. Knows no clock.
/// Source: gRFC A8 (clients), A9 (servers).
package struct KeepaliveSchedule: Sendable {
    package enum Action: Equatable, Sendable {
        /// Nothing to do before then.
        case wait(until: MonotonicInstant)
        /// Send a PING, and look again then.
        case ping(lookAgain: MonotonicInstant)
        /// The peer did not answer in time.
        case giveUp
    }

    private let interval: Duration
    private let timeout: Duration
    private let withoutCalls: Bool
    private var pinged: MonotonicInstant?

    /// - Parameters:
    ///   - interval: the silence after which the peer is asked.
    ///   - timeout: the time that it has for its answer, which may be any bytes.
    ///   - withoutCalls: whether it is asked while no call is open.
    package init(interval: Duration, timeout: Duration, withoutCalls: Bool) {
        self.interval = interval
        self.timeout = timeout
        self.withoutCalls = withoutCalls
    }

    /// - Parameter lastInput: when the peer's last bytes came.
    package mutating func next(at now: MonotonicInstant, lastInput: MonotonicInstant, hasCalls: Bool) -> Action {
        if let pinged, lastInput <= pinged {
            let due = pinged.advanced(by: timeout)
            return due <= now ? .giveUp : .wait(until: due)
        }
        pinged = nil
        let due = lastInput.advanced(by: interval)
        guard due <= now else { return .wait(until: due) }
        guard hasCalls || withoutCalls else { return .wait(until: now.advanced(by: interval)) }
        pinged = now
        return .ping(lookAgain: now.advanced(by: timeout))
    }
}
