// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// All that happened in one scenario. Safe from any task.
final class Record: Sendable {
    private struct State {
        var calls: [FinishedCall] = []
        var tries: [(instance: String, at: Duration)] = []
    }

    private let start = ContinuousClock.now
    private let state = Mutex(State())

    /// Since the scenario's start.
    var now: Duration { start.duration(to: .now) }

    func tried(_ instance: String) {
        let now = now
        state.withLock { $0.tries.append((instance, now)) }
    }

    func ended(_ call: FinishedCall) { state.withLock { $0.calls.append(call) } }

    var calls: [FinishedCall] { state.withLock { $0.calls } }

    /// When tries went to an instance.
    func tries(of instance: String) -> [Duration] {
        state.withLock { state in state.tries.filter { $0.instance == instance }.map(\.at) }
    }
}

/// A call that is over.
struct FinishedCall: Sendable, Hashable {
    /// When it was due.
    var due: Duration
    /// From when it was due until its end: a load that falls behind does not look faster than it is.
    var latency: Duration
    /// Why it failed.
    var error: String?
    /// The instances that its tries went to.
    var instances: [String]
}
