// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

/// The calls of a gate, kept as a plain list.
private struct PlainGate {
    struct Call {
        let id: Int
        let priority: Int
        let until: MonotonicInstant
        let late: Status.Code
    }

    static let limit = 3
    static let capacity = 6
    private(set) var running: [Int] = []
    private(set) var waiting: [Call] = []
    private(set) var ends: [Int: Status.Code] = [:]

    mutating func arrive(_ call: Call) {
        if waiting.isEmpty, running.count < Self.limit { return running.append(call.id) }
        if waiting.count == Self.capacity {
            let least = waiting.map(\.priority).min() ?? 0
            guard least < call.priority, let index = waiting.lastIndex(where: { $0.priority == least }) else {
                ends[call.id] = .resourceExhausted
                return
            }
            ends[waiting.remove(at: index).id] = .resourceExhausted
        }
        waiting.append(call)
    }

    mutating func leave(_ id: Int) {
        running.removeAll { $0 == id }
        let most = waiting.map(\.priority).max()
        if let index = waiting.firstIndex(where: { $0.priority == most }) {
            running.append(waiting.remove(at: index).id)
        }
    }

    mutating func cancel(_ id: Int) {
        waiting.removeAll { $0.id == id }
        ends[id] = .cancelled
    }

    mutating func turn(to now: MonotonicInstant) {
        for call in waiting where call.until <= now { ends[call.id] = call.late }
        waiting.removeAll { $0.until <= now }
    }
}

@Suite(.timeLimit(.minutes(10))) struct CallGateTests {
    /// What became of the calls.
    private final class Seen: Sendable {
        private let state = Mutex((running: Set<Int>(), ends: [Int: Status.Code]()))
        var running: Set<Int> { state.withLock { $0.running } }
        var ends: [Int: Status.Code] { state.withLock { $0.ends } }
        var endCount: Int { state.withLock { $0.ends.count } }
        func runs(_ id: Int) { _ = state.withLock { $0.running.insert(id) } }
        func left(_ id: Int) { _ = state.withLock { $0.running.remove(id) } }
        func ended(_ id: Int, _ error: any Error) { state.withLock { $0.ends[id] = RPCError(wrapping: error).code } }
    }

    private let clock = ManualClock()
    private let seen = Seen()

    private func enter(_ gate: CallGate, _ call: PlainGate.Call, _ deadline: CallDeadline) -> Task<Void, Never> {
        Task { [seen] in
            do {
                _ = try await gate.enter(call.priority, deadline)
                seen.runs(call.id)
            } catch {
                seen.ended(call.id, error)
            }
        }
    }

    private func settle(_ gate: CallGate, _ plain: PlainGate) async {
        let running = Set(plain.running)
        // Who waits has a timer, and nobody else.
        while seen.running != running || seen.endCount != plain.ends.count || gate.waiting != plain.waiting.count
            || clock.sleepers != plain.waiting.count
        {
            await Task.yield()
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `over ten thousand random steps those run, wait and fail that a plain list says`(_ seed: UInt64) async {
        let random = SplitMixRandom(seed: seed)
        let gate = CallGate(
            "calls", .fixed(PlainGate.limit), queue: PlainGate.capacity, longestWait: .seconds(2), clock)
        var (plain, tasks) = (PlainGate(), [Int: Task<Void, Never>]())
        for step in 0..<10_000 {
            switch random.index(below: 8) {
            case 0...3:
                let longest = clock.now.advanced(by: .seconds(2))
                let deadline =
                    random.index(below: 2) == 0
                    ? CallDeadline.none
                    : CallDeadline(at: clock.now.advanced(by: .milliseconds(random.index(below: 4000) - 400)))
                let call = PlainGate.Call(
                    id: step, priority: random.index(below: 10), until: min(longest, deadline.instant),
                    late: deadline.instant <= longest ? .deadlineExceeded : .resourceExhausted)
                let refuses = gate.refusal(call.priority) != nil
                plain.arrive(call)
                #expect(refuses == (plain.ends[step] != nil))
                plain.turn(to: clock.now)
                tasks[step] = enter(gate, call, deadline)
            case 4...5:
                guard !plain.running.isEmpty else { continue }
                let id = plain.running[random.index(below: plain.running.count)]
                plain.leave(id)
                seen.left(id)
                gate.leave(nil, succeeded: true)
            case 6:
                guard !plain.waiting.isEmpty else { continue }
                let id = plain.waiting[random.index(below: plain.waiting.count)].id
                plain.cancel(id)
                tasks[id]?.cancel()
            default:
                clock.advance(by: .milliseconds(random.index(below: 500)))
                plain.turn(to: clock.now)
            }
            await settle(gate, plain)
            #expect(gate.running == plain.running.count)
        }
        #expect(seen.ends == plain.ends)
        #expect(Set(plain.ends.values) == [.resourceExhausted, .deadlineExceeded, .cancelled])
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
        #expect(gate.waiting == 0 && clock.sleepers == 0)
    }
}
