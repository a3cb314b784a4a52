// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// What the calls of a channel share for outlier ejection. Released or ended, it readmits what it has ejected.
final class OutlierWatch: Sendable {
    private struct State {
        var course: OutlierCourse
        var lastReturn: UInt64 = 0
        var returns: [UInt64: Task<Void, Never>] = [:]
        var hasEnded = false
    }

    private let owner = EndpointAttachment.Owner()
    let rules: OutlierRules
    private let random: any RandomSource
    private let clock: any MonotonicClock
    // When the list that was looked at last is looked at again: a list that takes its place keeps to that.
    private let latestDue = Atomic<Int64>(.min)
    private let state: Mutex<State>

    init(_ rules: OutlierRules, _ random: any RandomSource, _ clock: any MonotonicClock) {
        self.rules = rules
        self.random = random
        self.clock = clock
        state = Mutex(State(course: OutlierCourse(rules)))
    }

    deinit {
        for task in state.withLock({ $0.returns.values }) { task.cancel() }
    }

    /// Readmits what was ejected, and ejects nothing any more.
    func end() {
        let returns = state.withLock { state in
            state.hasEnded = true
            return Array(state.returns.values)
        }
        for task in returns { task.cancel() }
    }

    func tally(of handle: EndpointHandle) -> OutlierTally {
        handle.attachment(of: owner) { OutlierTally(handle) }
    }

    /// A call ended at an endpoint, one of these.
    func ended(_ tally: OutlierTally, _ error: RPCError?, of candidates: Candidates, _ observer: (any Observer)?) {
        switch Verdict(error, faults: rules.faults) {
        case .none: return
        case .success: return tally.succeeded()
        case .failure: break
        }
        let inRow = tally.failed()
        guard let limit = rules.consecutiveFailures, inRow >= limit, let handle = tally.handle else { return }
        let now = clock.now
        let listed = candidates.handles.map { self.tally(of: $0).id }
        let ejection = state.withLock { $0.course.failedInRow(inRow, id: tally.id, among: listed, at: now) }
        guard let ejection else { return }
        tally.forgetRow()
        eject(handle, ejection, observer)
    }

    /// Looks at all endpoints of a list when its interval is over.
    func sweepIfDue(_ candidates: Candidates, _ observer: (any Observer)?) {
        let now = clock.now
        // Each list has its own, since the calls of one channel may have several.
        let interval = candidates.attachment(of: owner) { OutlierInterval(due: latestDue.load(ordering: .relaxed)) }
        let due = interval.due.load(ordering: .relaxed)
        guard now.nanoseconds >= due else { return }
        let next = now.advanced(by: max(.milliseconds(1), rules.interval)).nanoseconds
        // One of the calls that come now does it.
        guard interval.due.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged else { return }
        latestDue.store(next, ordering: .relaxed)
        if due != .min { sweep(candidates, at: now, observer) }
    }

    private func sweep(_ candidates: Candidates, at now: MonotonicInstant, _ observer: (any Observer)?) {
        var handles: [UInt64: EndpointHandle] = [:]
        var counts: [OutlierCourse.Count] = []
        for handle in candidates.handles {
            let count = tally(of: handle).takeCount()
            handles[count.id] = handle
            counts.append(count)
        }
        let ejections = state.withLock { $0.course.sweep(counts, at: now, random) }
        for ejection in ejections {
            if let handle = handles[ejection.id] { eject(handle, ejection, observer) }
        }
    }

    private func eject(_ handle: EndpointHandle, _ ejection: OutlierCourse.Ejection, _ observer: (any Observer)?) {
        guard !state.withLock({ $0.hasEnded }) else { return }
        handle.eject()
        observer?.policyEvent(.ejected(handle.endpoint, for: ejection.duration))
        let end = clock.now.advanced(by: ejection.duration)
        // A timer, not the next call: when all others are gone, no call may come before the endpoint is back.
        state.withLock { state in
            state.lastReturn += 1
            let id = state.lastReturn
            let task = Task { [weak self, clock] in
                try? await clock.sleep(until: end)
                handle.readmit()
                observer?.policyEvent(.readmitted(handle.endpoint))
                self?.state.withLock { $0.returns[id] = nil }
            }
            state.returns[id] = task
            // It has ended meanwhile.
            if state.hasEnded { task.cancel() }
        }
    }
}

/// When a list of endpoints is looked at next, in nanoseconds.
private final class OutlierInterval: Sendable {
    let due: Atomic<Int64>

    init(due: Int64) { self.due = Atomic(due) }
}
