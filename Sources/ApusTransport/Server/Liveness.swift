// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Tells twice in an interval that all event loops turn: one that hangs makes the reports stop.
final class Liveness: Sendable {
    private let task: Task<Void, Never>

    /// Begins to report.
    ///
    /// - Parameters:
    ///   - interval: the time after which who hears nothing thinks the process dead.
    ///   - tell: is called when every loop has answered.
    init(
        of loops: [any EventLoop], interval: Duration, clock: any MonotonicClock = SystemClock(),
        tell: @escaping @Sendable () -> Void
    ) {
        task = Task {
            while !Task.isCancelled {
                for loop in loops {
                    await withUnsafeContinuation { turn in loop.execute { turn.resume() } }
                }
                tell()
                // Cancelled, it throws, and the loop ends.
                try? await clock.sleep(until: clock.now.advanced(by: interval / 2))
            }
        }
    }

    deinit { task.cancel() }
}
