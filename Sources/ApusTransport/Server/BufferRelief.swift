// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Ends the streams that have not gone on for longest, when a budget is exceeded.
///
/// Every loop tells what its streams hold; the last one to answer chooses, and the streams end on their loops.
final class BufferRelief: Sendable {
    /// A stream that holds something.
    struct Candidate: Sendable {
        let bytes: Int
        let lastProgress: UInt64
        /// Ends the stream, from any thread.
        let giveUp: @Sendable () -> Void
    }

    private struct State {
        var candidates: [Candidate] = []
        var missing: Int
    }

    private let budget: BufferBudget
    private let servers: [ActiveServer]
    private let state: Mutex<State>

    private init(_ budget: BufferBudget, servers: [ActiveServer], answers: Int) {
        self.budget = budget
        self.servers = servers
        state = Mutex(State(missing: answers))
    }

    /// Asks the loops; may be called under a stream's lock: it only posts.
    static func start(_ budget: BufferBudget, servers: [ActiveServer]) {
        var loops: [UVLoop] = []
        for loop in servers.flatMap(\.loops.loops) where !loops.contains(where: { $0 === loop }) { loops.append(loop) }
        guard !loops.isEmpty else { return budget.relieved() }
        let relief = BufferRelief(budget, servers: servers, answers: loops.count)
        for loop in loops { loop.execute { relief.collect(on: loop) } }
    }

    private func collect(on loop: UVLoop) {
        let found = servers.flatMap { $0.connections(on: loop) }.flatMap { $0.holdingStreams() }
        let all = state.withLock { state in
            state.candidates += found
            state.missing -= 1
            return state.missing == 0 ? state.candidates : nil
        }
        if let all { end(Self.choose(all, toFree: budget.excess)) }
    }

    /// The streams to end: those that went on least recently, as few as free enough.
    static func choose(_ candidates: [Candidate], toFree excess: Int) -> ArraySlice<Candidate> {
        let ordered = candidates.sorted { $0.lastProgress < $1.lastProgress }
        var freed = 0
        return ordered.prefix { candidate in
            defer { freed += candidate.bytes }
            return freed < excess
        }
    }

    private func end(_ chosen: ArraySlice<Candidate>) {
        let held = budget.held
        for server in servers {
            server.server.observer?.serverEvent(
                .buffersExceeded(held: held, limit: budget.limit, ended: chosen.count))
        }
        for candidate in chosen { candidate.giveUp() }
        // Behind what was just posted, on each loop in turn.
        Self.finish(budget, Array(servers.flatMap(\.loops.loops))[...])
    }

    private static func finish(_ budget: BufferBudget, _ loops: ArraySlice<UVLoop>) {
        guard let loop = loops.first else { return budget.relieved() }
        loop.execute { finish(budget, loops.dropFirst()) }
    }
}
