// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// What the calls of a channel share for outlier ejection. Released or ended, it readmits what it has ejected.
final class OutlierWatch: Sendable {
    private struct State {
        var course: OutlierCourse
        var lists = OutlierLists()
        var lastReturn: UInt64 = 0
        var returns: [UInt64: Task<Void, Never>] = [:]
        var hasEnded = false
    }

    private let owner = EndpointAttachment.Owner()
    let rules: OutlierRules
    private let random: any RandomSource
    private let clock: any MonotonicClock
    // When the interval ends, in nanoseconds: one for all lists, since an endpoint of several is counted once.
    private let due = Atomic<Int64>(.min)
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

    /// A call has chosen among these. The first one after an interval looks at all endpoints.
    func callStarted(among candidates: Candidates, _ observer: (any Observer)?) {
        sweepIfDue(observer)
        let list = candidates.attachment(of: owner) { OutlierList(candidates.handles.map { tally(of: $0) }) }
        if list.claimListing() { state.withLock { $0.lists.add(list) } }
        list.use()
    }

    private func sweepIfDue(_ observer: (any Observer)?) {
        let (now, due) = (clock.now, due.load(ordering: .relaxed))
        guard now.nanoseconds >= due else { return }
        let next = now.advanced(by: max(.milliseconds(1), rules.interval)).nanoseconds
        // One of the calls that come now does it.
        guard self.due.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged else { return }
        if due != .min { sweep(at: now, observer) }
    }

    // The counts of every living list are taken, so that each interval begins at nothing; a list that no call chose
    // from, such as one that discovery has replaced, is not judged.
    private func sweep(at now: MonotonicInstant, _ observer: (any Observer)?) {
        let lists = state.withLock { $0.lists.living() }
        var known: [UInt64: (tally: OutlierTally, count: OutlierCourse.Count)] = [:]
        for tally in lists.lazy.flatMap(\.tallies) where known[tally.id] == nil {
            known[tally.id] = (tally, tally.takeCount())
        }
        let counts = lists.filter { $0.takeUse() }.map { $0.tallies.compactMap { known[$0.id]?.count } }
        let ejections = state.withLock { $0.course.sweep(counts, at: now, random) }
        for ejection in ejections {
            if let handle = known[ejection.id]?.tally.handle { eject(handle, ejection, observer) }
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
