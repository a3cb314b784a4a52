// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// One circuit breaker: told of the calls' ends, it decides which calls pass.
struct BreakerCourse: Sendable {
    enum Admission: Equatable {
        /// The call passes; its end is told with the number.
        case passes(generation: UInt64)
        /// The call fails. Another one may pass after this time; zero while probes are under way.
        case fails(timeLeft: Duration)
    }

    private enum Phase {
        case closed
        case open(until: MonotonicInstant)
        /// Until a moment at which probes that have not ended count no longer: one that hangs must not hold others up.
        case halfOpen(running: Int, succeeded: Int, until: MonotonicInstant)
    }

    let rules: BreakerRules
    /// Changes with each change of state: what began before does not count afterwards.
    private(set) var generation: UInt64 = 0
    private(set) var consecutiveFailures = 0
    private var phase = Phase.closed
    private var window: BreakerWindow
    private var openFor: Duration

    init(_ rules: BreakerRules) {
        self.rules = rules
        window = BreakerWindow(length: rules.window)
        openFor = max(.zero, rules.openFor)
    }

    var state: BreakerState {
        switch phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// A call wants to pass.
    mutating func admit(at now: MonotonicInstant) -> Admission {
        if case .open(let until) = phase {
            guard now >= until else { return .fails(timeLeft: now.duration(to: until)) }
            enter(.halfOpen(running: 0, succeeded: 0, until: patience(from: now)))
        }
        guard case .halfOpen(let running, let succeeded, let until) = phase else {
            return .passes(generation: generation)
        }
        if running + succeeded < max(1, rules.probes) {
            phase = .halfOpen(running: running + 1, succeeded: succeeded, until: until)
        } else {
            guard now >= until else { return .fails(timeLeft: .zero) }
            phase = .halfOpen(running: 1, succeeded: 0, until: patience(from: now))
        }
        return .passes(generation: generation)
    }

    private func patience(from now: MonotonicInstant) -> MonotonicInstant {
        now.advanced(by: max(.milliseconds(1), openFor))
    }

    /// The head of a streamed answer has come: all that a probe can wait for, as its end may be hours away.
    ///
    /// - Returns: whether that was the end of a probe.
    mutating func answered(generation: UInt64, at now: MonotonicInstant) -> Bool {
        guard generation == self.generation, case .halfOpen = phase else { return false }
        ended(.success, generation: generation, at: now)
        return true
    }

    /// `count` calls that passed in `generation` ended.
    mutating func ended(
        _ verdict: Verdict, slow: Bool = false, count: Int = 1, generation: UInt64, at now: MonotonicInstant
    ) {
        guard generation == self.generation else { return }
        switch phase {
        case .closed: if verdict != .none { note(verdict == .failure, slow, count, now) }
        case .open: break
        case .halfOpen(let running, let succeeded, let until):
            phase = .halfOpen(running: max(0, running - 1), succeeded: succeeded, until: until)
            probeEnded(slow && rules.slowRate != nil ? .failure : verdict, now)
        }
    }

    private mutating func note(_ failed: Bool, _ slow: Bool, _ count: Int, _ now: MonotonicInstant) {
        window.add(calls: count, failures: failed ? count : 0, slow: slow ? count : 0, at: now)
        consecutiveFailures = failed ? consecutiveFailures + count : 0
        if shouldOpen { open(at: now) }
    }

    private var shouldOpen: Bool {
        if let limit = rules.consecutiveFailures, consecutiveFailures >= max(1, limit) { return true }
        guard window.calls >= max(1, rules.minimumCalls) else { return false }
        if let limit = rules.failureRate, window.failureRate > 0, window.failureRate >= limit { return true }
        guard let limit = rules.slowRate else { return false }
        return window.slowRate > 0 && window.slowRate >= limit
    }

    private mutating func probeEnded(_ verdict: Verdict, _ now: MonotonicInstant) {
        guard case .halfOpen(let running, let succeeded, let until) = phase else { return }
        switch verdict {
        case .none: break
        case .failure:
            openFor = min(openFor + openFor, max(rules.openFor, rules.longestOpen))
            open(at: now)
        case .success where succeeded + 1 >= max(1, rules.probes):
            openFor = max(.zero, rules.openFor)
            enter(.closed)
        case .success: phase = .halfOpen(running: running, succeeded: succeeded + 1, until: until)
        }
    }

    private mutating func open(at now: MonotonicInstant) { enter(.open(until: now.advanced(by: openFor))) }

    private mutating func enter(_ phase: Phase) {
        self.phase = phase
        generation += 1
        consecutiveFailures = 0
        window.clear()
    }
}
