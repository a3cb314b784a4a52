// SPDX-License-Identifier: Apache-2.0

/// What became of calls, or of streams.
package struct CallCounts: Sendable, Equatable {
    /// Those that were begun.
    package var started: Int64
    /// Those that did not end well.
    package var failed: Int64
    /// Those that have not ended.
    package var running: Int64

    package init(started: Int64 = 0, failed: Int64 = 0, running: Int64 = 0) {
        self.started = started
        self.failed = failed
        self.running = running
    }

    /// Those that ended well. Counts are read one after the other while they change: never below zero.
    package var succeeded: Int64 { max(0, started - failed - running) }

    package static func + (left: CallCounts, right: CallCounts) -> CallCounts {
        CallCounts(
            started: left.started + right.started, failed: left.failed + right.failed,
            running: left.running + right.running)
    }
}
