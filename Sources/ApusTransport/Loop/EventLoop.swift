// SPDX-License-Identifier: Apache-2.0

package import ApusCore
package import ApusHTTP2

/// A thread that waits for sockets and timers and runs Swift tasks in between; one turn handles a whole batch.
///
/// Two forms: ``UVLoop``, and the simulated loop of tests. What is marked *loop only* may be called on the loop's
/// own thread alone.
package protocol EventLoop: TaskExecutor {
    /// Whether the calling thread is this loop's.
    var isCurrent: Bool { get }

    /// The moment at which the present turn began. Loop only.
    var now: MonotonicInstant { get }

    /// Chance for what happens on the loop: back-off, jitter.
    var random: any RandomSource { get }

    /// Runs `action` on the loop, in a later turn or later in this one. From any thread, in order.
    func execute(_ action: @escaping @Sendable () -> Void)

    /// Fires `entry` at its deadline. Loop only.
    func schedule(_ entry: any TimerEntry, at deadline: MonotonicInstant)

    /// Forgets `entry`, scheduled or not. Loop only.
    func cancel(_ entry: any TimerEntry)

    /// Calls `flusher` once when this turn's work is done. Loop only.
    func flushAtEndOfTurn(_ flusher: any TurnFlusher)

    /// Tasks of the loop's for work that is short and comes often. Loop only.
    var workers: LoopWorkers { get }

    /// The loop's scratch area for output. Loop only.
    var output: OutputBuffer { get }

    /// The loop's scratch areas for TLS. Loop only.
    var tlsScratch: TLSScratch { get }

    /// Where HTTP/2 sessions on the loop get their memory; nil for the C library's. Loop only.
    var sessionMemory: HTTP2Memory? { get }
}

/// What collects work during a turn and does it at its end, in one go: a connection with bytes to write.
package protocol TurnFlusher: AnyObject {
    func flush()
}

extension EventLoop {
    /// The process' own.
    package var random: any RandomSource { SplitMixRandom.shared }

    /// The C library's.
    package var sessionMemory: HTTP2Memory? { nil }

    /// Runs `action` at once on the loop's own thread, else posts it.
    @inlinable
    package func run(_ action: @escaping @Sendable () -> Void) {
        if isCurrent { action() } else { execute(action) }
    }
}
