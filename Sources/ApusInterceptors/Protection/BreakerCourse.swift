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
        case halfOpen(running: Int, succeeded: Int)
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
            enter(.halfOpen(running: 0, succeeded: 0))
        }
        guard case .halfOpen(let running, let succeeded) = phase else { return .passes(generation: generation) }
        guard running + succeeded < max(1, rules.probes) else { return .fails(timeLeft: .zero) }
        phase = .halfOpen(running: running + 1, succeeded: succeeded)
        return .passes(generation: generation)
    }

    /// `count` calls that passed in `generation` ended.
    mutating func ended(
        _ verdict: Verdict, slow: Bool = false, count: Int = 1, generation: UInt64, at now: MonotonicInstant
    ) {
        guard generation == self.generation else { return }
        switch phase {
        case .closed: if verdict != .none { note(verdict == .failure, slow, count, now) }
        case .open: break
        case .halfOpen(let running, let succeeded):
            probeEnded(slow && rules.slowRate != nil ? .failure : verdict, running - 1, succeeded, now)
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

    private mutating func probeEnded(_ verdict: Verdict, _ running: Int, _ succeeded: Int, _ now: MonotonicInstant) {
        switch verdict {
        case .none: phase = .halfOpen(running: running, succeeded: succeeded)
        case .failure:
            openFor = min(openFor + openFor, max(rules.openFor, rules.longestOpen))
            open(at: now)
        case .success where succeeded + 1 >= max(1, rules.probes):
            openFor = max(.zero, rules.openFor)
            enter(.closed)
        case .success: phase = .halfOpen(running: running, succeeded: succeeded + 1)
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
