// SPDX-License-Identifier: Apache-2.0

/// What became of calls, or of streams.
package struct CallCounts: Sendable, Equatable {
    /// Those that were begun.
    package var started: Int64 = 0
    /// Those that did not end well.
    package var failed: Int64 = 0
    /// Those that have not ended.
    package var running: Int64 = 0

    /// Those that ended well. Counts are read one after the other while they change: never below zero.
    package var succeeded: Int64 { max(0, started - failed - running) }

    package static func + (left: CallCounts, right: CallCounts) -> CallCounts {
        CallCounts(
            started: left.started + right.started, failed: left.failed + right.failed,
            running: left.running + right.running)
    }
}
