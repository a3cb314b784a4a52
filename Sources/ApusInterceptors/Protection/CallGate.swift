// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Where calls wait until they may run: an ``AdmissionQueue`` with the tasks in it.
final class CallGate: Sendable {
    private typealias Place = UnsafeContinuation<Void, any Error>

    private struct State {
        var queue: AdmissionQueue
        var rule: ConcurrencyRule
        var places: [UInt64: Place] = [:]
        var lastID: UInt64 = 0
    }

    private let name: String
    private let longestWait: Duration
    private let clock: any MonotonicClock
    private let state: Mutex<State>
    private let measures: Bool

    init(_ name: String, _ rule: ConcurrencyRule, queue: Int, longestWait: Duration, _ clock: any MonotonicClock) {
        self.name = name
        self.longestWait = longestWait
        self.clock = clock
        measures = !rule.isFixed
        state = Mutex(State(queue: AdmissionQueue(limit: rule.limit, capacity: queue), rule: rule))
    }

    var limit: Int { state.withLock { $0.queue.limit } }
    var running: Int { state.withLock { $0.queue.running } }
    var waiting: Int { state.withLock { $0.queue.waiting } }

    /// The error of a call of this priority that would find no place.
    func refusal(_ priority: Int) -> RPCError? {
        state.withLock { $0.queue.refuses(priority) } ? full : nil
    }

    /// Returns when the call may run.
    ///
    /// - Returns: when it began, if that matters.
    /// - Throws: RESOURCE_EXHAUSTED when there is no place, or it waited too long; CANCELLED.
    func enter(_ priority: Int, _ deadline: CallDeadline) async throws -> MonotonicInstant? {
        if !state.withLock({ $0.queue.runs() }) { try await wait(priority, deadline) }
        return measures ? clock.now : nil
    }

    /// The call has ended.
    func leave(_ began: MonotonicInstant?, succeeded: Bool) {
        let now = began.map { _ in clock.now }
        let places = state.withLock { state -> [Place] in
            if let began, let now {
                let running = state.queue.running
                state.rule.ended(after: began.duration(to: now), running: running, succeeded: succeeded, at: now)
                state.queue.limit = state.rule.limit
            }
            return state.queue.left().compactMap { state.places.removeValue(forKey: $0) }
        }
        for place in places { place.resume() }
    }

    private func wait(_ priority: Int, _ deadline: CallDeadline) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let longest = clock.now.advanced(by: longestWait)
        var timer: Task<Void, any Error>?
        defer { timer?.cancel() }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { place in
                guard self.arrive(id, priority, place) else { return }
                // Not before it has its place: a timer that finds nobody to wake would leave it there.
                timer = Task { [clock] in
                    try await clock.sleep(until: min(longest, deadline.instant))
                    self.remove(id)?.resume(throwing: self.waited(deadline.instant <= longest))
                }
            }
        } onCancel: {
            self.remove(id)?.resume(throwing: CancellationError())
        }
    }

    /// - Returns: whether it waits.
    private func arrive(_ id: UInt64, _ priority: Int, _ place: Place) -> Bool {
        let (arrival, displaced) = state.withLock { state -> (AdmissionQueue.Arrival?, Place?) in
            // Asked under the lock that the cancellation handler takes: it finds the task here, or is seen.
            if Task.isCancelled { return (nil, nil) }
            let arrival = state.queue.arrive(id, priority: priority)
            switch arrival {
            case .runs, .fails: return (arrival, nil)
            case .waits: state.places[id] = place
            case .displaces(let other):
                state.places[id] = place
                return (arrival, state.places.removeValue(forKey: other))
            }
            return (arrival, nil)
        }
        displaced?.resume(throwing: full)
        switch arrival {
        case nil: place.resume(throwing: CancellationError())
        case .runs: place.resume()
        case .fails: place.resume(throwing: full)
        case .waits, .displaces: return true
        }
        return false
    }

    private func remove(_ id: UInt64) -> Place? {
        state.withLock { state in
            guard let place = state.places.removeValue(forKey: id) else { return nil }
            _ = state.queue.gaveUp(id)
            return place
        }
    }

    private var full: RPCError { .overLimit("concurrency limit '\(name)': its queue is full", retryAfter: nil) }

    private func waited(_ isPastDeadline: Bool) -> RPCError {
        if isPastDeadline {
            return CallDeadline.exceeded("in the queue of concurrency limit '\(name)'", progress: .notConnected)
        }
        let text = "concurrency limit '\(name)': waited for \(longestWait.inSeconds) s without a place"
        return .overLimit(text, retryAfter: nil)
    }
}

extension CallGate: DescribedPolicy {
    var policyValues: [PolicyValue] {
        let (rule, queue) = state.withLock { ($0.rule, $0.queue) }
        return [
            PolicyValue("name", name), PolicyValue("rule", rule), PolicyValue("limit", queue.limit),
            PolicyValue("queue", queue.capacity), PolicyValue("longestWait", longestWait),
        ]
    }
}
