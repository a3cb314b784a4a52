// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// A world of event loops in which time is a number and chance has a seed: the same seed gives the same run.
///
/// Deterministic simulation after FoundationDB's: all that is nondeterministic elsewhere (which loop runs next, how far
/// it gets, which task goes on, how long things take) is drawn from one seeded sequence. Time stands still while there
/// is something to run, but for small steps, and leaps to the next timer when there is not.
///
/// To be used by plain code on a thread of its own, never inside of a task: executor jobs must not nest.
/// Sendable: it is used by one thread.
package final class Simulation: @unchecked Sendable {
    /// How a run ended.
    package enum Outcome: Sendable, Equatable {
        /// The condition came true.
        case reached
        /// Nothing was left to run and no timer to wait for.
        case stuck
        /// More turns than allowed: something goes on for ever.
        case endless
    }

    package private(set) var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    package private(set) var loops: [SimulatedLoop] = []
    /// The turns that were taken.
    package private(set) var turns = 0
    private let order: SplitMixRandom

    // Nanoseconds: what one turn takes at most.
    private static let longestTurn = 2000

    /// A world of `count` loops.
    package init(seed: UInt64, loops count: Int) {
        order = SplitMixRandom(seed: seed)
        for _ in 0..<count {
            let random = SplitMixRandom(seed: order.next())
            loops.append(SimulatedLoop(at: now, random: random, order: order))
        }
    }

    // On the simulation's thread: elsewhere jobs may nest, and then the tasks stay.
    deinit {
        guard withUnsafeCurrentTask(body: { $0 == nil }) else { return }
        for loop in loops { loop.dismissWorkers() }
    }

    /// The loops as servers and channels take them.
    package var eventLoops: EventLoops { EventLoops(simulated: loops) }

    /// Lets the world go on until `isReached`, which is asked after each turn.
    package func run(maximumTurns: Int = 1_000_000, until isReached: () -> Bool) -> Outcome {
        for _ in 0..<maximumTurns {
            if isReached() { return .reached }
            guard step() else { return .stuck }
        }
        return .endless
    }

    /// Lets the world go on until nothing is left to run, with the time that stands now; timers wait.
    package func settle(maximumTurns: Int = 1_000_000) -> Outcome {
        run(maximumTurns: maximumTurns) { !hasWork }
    }

    /// Lets this much time pass, with all that happens in it.
    package func advance(by duration: Duration) {
        let end = now.advanced(by: duration)
        while hasWork || (nextTimer.map { $0 <= end } ?? false) {
            guard step() else { break }
        }
        now = max(now, end)
    }

    private var hasWork: Bool {
        for loop in loops where loop.hasWork { return true }
        return false
    }

    private var nextTimer: MonotonicInstant? {
        var next: MonotonicInstant?
        for loop in loops {
            guard let timer = loop.nextTimer else { continue }
            next = next.map { min($0, timer) } ?? timer
        }
        return next
    }

    // One turn of one loop: of one that has work, else of one whose timer is the next. False when there is none.
    private func step() -> Bool {
        if hasWork {
            now = now.advanced(by: .nanoseconds(order.index(below: Self.longestTurn)))
            take { $0.hasWork }
        } else {
            guard let next = nextTimer else { return false }
            now = max(now, next)
            take { $0.isDue(now) }
        }
        return true
    }

    // Lets chance choose among the loops that can.
    private func take(_ canRun: (SimulatedLoop) -> Bool) {
        var left = 0
        for loop in loops where canRun(loop) { left += 1 }
        left = order.index(below: left)
        for loop in loops where canRun(loop) {
            if left == 0 {
                turns += 1
                return loop.turn(at: now)
            }
            left -= 1
        }
    }
}

/// A simulation's time as interceptors and channels see it.
///
/// Sendable: used on the simulation's thread.
package final class SimulatedClock: MonotonicClock, @unchecked Sendable {
    private let simulation: Simulation

    package init(_ simulation: Simulation) { self.simulation = simulation }

    package var now: MonotonicInstant { simulation.now }

    package func sleep(until deadline: MonotonicInstant) async throws {
        let sleeper = Sleeper()
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { sleeper.start($0, until: deadline, on: simulation.loops[0]) }
        } onCancel: {
            sleeper.cancel()
        }
    }

    // Sendable: used on the simulation's thread.
    private final class Sleeper: TimerEntry, @unchecked Sendable {
        var timer = TimerPosition()
        private var loop: SimulatedLoop?
        private var continuation: UnsafeContinuation<Void, any Error>?
        private var isCancelled = false

        func start(
            _ continuation: UnsafeContinuation<Void, any Error>, until deadline: MonotonicInstant,
            on loop: SimulatedLoop
        ) {
            guard !isCancelled else { return continuation.resume(throwing: CancellationError()) }
            self.continuation = continuation
            self.loop = loop
            loop.schedule(self, at: deadline)
        }

        func timerFired() { take()?.resume() }

        func cancel() {
            isCancelled = true
            loop?.cancel(self)
            take()?.resume(throwing: CancellationError())
        }

        private func take() -> UnsafeContinuation<Void, any Error>? {
            defer { continuation = nil }
            return continuation
        }
    }
}
