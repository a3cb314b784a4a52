// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Which calls are mirrored.
struct MirrorRule: Sendable {
    /// The share of the calls with one request message, `0...1`.
    let share: Double
    /// Copies under way at once.
    let maximumRunning: Int

    /// Whether a call is to be copied: its messages can be read twice, and it is drawn.
    func draws(_ request: MessageBody, _ random: any RandomSource) -> Bool {
        guard case .one = request else { return false }
        return share >= 1 || random.unit() < share
    }

    /// Whether another copy may go out beside those that are under way.
    func admits(running: Int) -> Bool { running < maximumRunning }
}
