// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct IdempotencyMemoryTests {
    private enum Outcome: Equatable {
        case works
        case answered(UInt64)
        case cancelled
    }

    /// What became of the claims.
    private final class Seen: Sendable {
        private let outcomes = Mutex<[Int: Outcome]>([:])
        var count: Int { outcomes.withLock { $0.count } }
        subscript(id: Int) -> Outcome? { outcomes.withLock { $0[id] } }
        func note(_ id: Int, _ outcome: Outcome) { outcomes.withLock { $0[id] = outcome } }
    }

    /// A key as a plain list keeps it.
    private struct Plain {
        var isAtWork = false
        var waiting: [Int] = []
        var known: (digest: UInt64, until: MonotonicInstant)?
    }

    private let clock = ManualClock()
    private let seen = Seen()

    private func claim(_ memory: IdempotencyMemory, _ key: Int, _ id: Int) -> Task<Void, Never> {
        Task { [seen] in
            do {
                let answer = try await memory.claim("\(key)")
                seen.note(id, answer.map { .answered($0.requestDigest) } ?? .works)
            } catch {
                seen.note(id, .cancelled)
            }
        }
    }

    private func answer(_ digest: UInt64) -> RememberedAnswer {
        RememberedAnswer(
            message: nil, metadata: Metadata(), trailers: Metadata(), status: .ok, requestDigest: digest)
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `over ten thousand random steps one claim works for each key, and the others wait for its answer`(
        _ seed: UInt64
    ) async {
        let random = SplitMixRandom(seed: seed)
        let memory = IdempotencyMemory(age: .seconds(10), clock: clock)
        var keys = [Plain](repeating: Plain(), count: 5)
        var tasks: [Int: Task<Void, Never>] = [:]
        var (over, worked, shared) = (0, 0, 0)
        for step in 0..<10_000 {
            clock.advance(by: .milliseconds(random.index(below: 200)))
            let key = random.index(below: keys.count)
            if let known = keys[key].known, known.until <= clock.now { keys[key].known = nil }
            // Who waits now and is to have this outcome after the step: all of them, or one where that is said.
            var (ending, outcome, isOne) = ([Int](), Outcome.works, false)
            switch random.index(below: 10) {
            case 0...5:
                if keys[key].isAtWork {
                    keys[key].waiting.append(step)
                } else {
                    (ending, outcome) = ([step], keys[key].known.map { .answered($0.digest) } ?? .works)
                    keys[key].isAtWork = keys[key].known == nil
                }
                tasks[step] = claim(memory, key, step)
            case 6:
                guard !keys[key].waiting.isEmpty else { continue }
                let id = keys[key].waiting.remove(at: random.index(below: keys[key].waiting.count))
                (ending, outcome) = ([id], .cancelled)
                tasks[id]?.cancel()
            case 7:
                guard keys[key].isAtWork else { continue }
                (ending, isOne) = (keys[key].waiting, true)
                keys[key].isAtWork = !ending.isEmpty
                memory.forget("\(key)")
            default:
                guard keys[key].isAtWork else { continue }
                (ending, outcome) = (keys[key].waiting, .answered(UInt64(step)))
                keys[key] = Plain(known: (UInt64(step), clock.now.advanced(by: .seconds(10))))
                memory.remember(answer(UInt64(step)), for: "\(key)")
                shared += ending.count
            }
            over += isOne ? min(1, ending.count) : ending.count
            while seen.count < over { await Task.yield() }
            let ended = ending.filter { seen[$0] == outcome }
            #expect(ended.count == (isOne ? min(1, ending.count) : ending.count) && seen.count == over)
            if isOne { keys[key].waiting.removeAll { ended.contains($0) } }
            if outcome == .works { worked += ended.count }
        }
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
        #expect(min(worked, shared) > 300)
    }
}
