// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The handlers that one connection may have running, its streams closed or not: a client that takes its calls back
/// frees a slot only when the handler has noticed. Confined to the connection's loop.
///
/// A call that finds no slot waits, so that a client which cancels many calls and makes new ones loses none; a handler
/// that does not notice must not hold others up for long, so after a while the call is refused, to be tried elsewhere.
final class HandlerSlots {
    private let loop: any EventLoop
    private let limit: Int
    private let patience: Duration
    // Unchecked: one thread, and nothing is called while they change.
    @exclusivity(unchecked) private var running = 0
    @exclusivity(unchecked) private var waiting = Deque<(stream: ServerStream, until: MonotonicInstant)>()
    private lazy var timer = LoopTimer { [unowned self] in self.refuseDue() }

    init(_ loop: any EventLoop, limit: Int, patience: Duration) {
        self.loop = loop
        self.limit = max(1, limit)
        self.patience = patience
    }

    /// Starts the stream's handler, now or when there is a slot.
    func start(_ stream: ServerStream) {
        guard running >= limit else { return run(stream) }
        waiting.append((stream, loop.now.advanced(by: patience)))
        if !timer.timer.isScheduled { loop.schedule(timer, at: loop.now.advanced(by: patience)) }
    }

    /// A handler has returned.
    @inline(__always)
    func handlerLeft() {
        running -= 1
        // Mostly nobody waits, and then the timer is not scheduled.
        if !waiting.isEmpty { startWaiting() }
    }

    private func startWaiting() {
        while running < limit, let next = waiting.popFirst() { run(next.stream) }
        if waiting.isEmpty { loop.cancel(timer) }
    }

    /// The connection is gone, and with it what waits.
    func close() {
        loop.cancel(timer)
        waiting = Deque()
    }

    private func run(_ stream: ServerStream) {
        if stream.startHandler() { running += 1 }
    }

    private func refuseDue() {
        while let first = waiting.first {
            guard first.until <= loop.now else { return loop.schedule(timer, at: first.until) }
            _ = waiting.popFirst()
            first.stream.refuse()
        }
    }
}
