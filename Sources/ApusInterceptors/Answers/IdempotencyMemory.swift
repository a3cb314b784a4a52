// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Remembers answers by key in memory, for one process.
public final class IdempotencyMemory: IdempotencyStore {
    private typealias Place = UnsafeContinuation<Void, any Error>

    private struct Record {
        var answer: RememberedAnswer?
        var until = MonotonicInstant(nanoseconds: .max)
        var places: [UInt64: Place] = [:]
    }

    private struct State {
        var records: [String: Record] = [:]
        // Of those that are answered, the oldest first: all are kept for the same time.
        var order = Deque<(key: String, until: MonotonicInstant)>()
        var bytes = 0
        var lastID: UInt64 = 0
    }

    private let age: Duration
    private let maximumKeys: Int
    private let maximumBytes: Int
    private let clock: any MonotonicClock
    private let state = Mutex(State())

    /// A memory.
    ///
    /// - Parameters:
    ///   - age: how long an answer is kept: longer than any client goes on trying.
    ///   - maximumKeys: calls that are remembered or at work; when they are all younger than `age` the oldest answers
    ///     go.
    ///   - maximumBytes: memory of all answers, roughly.
    public init(
        age: Duration = .seconds(600), maximumKeys: Int = 100_000, maximumBytes: Int = 64 << 20,
        clock: any MonotonicClock = SystemClock()
    ) {
        self.age = age
        self.maximumKeys = max(1, maximumKeys)
        self.maximumBytes = max(0, maximumBytes)
        self.clock = clock
    }

    /// Keys that are remembered or at work.
    public var count: Int { state.withLock { $0.records.count } }

    /// See ``IdempotencyStore``.
    public func claim(_ key: String) async throws -> RememberedAnswer? {
        while true {
            switch try look(key) {
            case .new: return nil
            case .known(let answer): return answer
            case .atWork(let id): try await wait(key, id)
            }
        }
    }

    /// See ``IdempotencyStore``.
    public func remember(_ answer: RememberedAnswer, for key: String) {
        let until = clock.now.advanced(by: age)
        let places = state.withLock { state -> [Place] in
            guard var record = state.records[key], record.answer == nil else { return [] }
            let places = Array(record.places.values)
            record = Record(answer: answer, until: until)
            state.records[key] = record
            state.order.append((key, until))
            state.bytes += Self.size(key, answer)
            makeRoom(&state, for: 0)
            return places
        }
        for place in places { place.resume() }
    }

    /// See ``IdempotencyStore``.
    public func forget(_ key: String) {
        let places = state.withLock { state -> [Place] in
            guard let record = state.records[key], record.answer == nil else { return [] }
            state.records[key] = nil
            return Array(record.places.values)
        }
        for place in places { place.resume() }
    }

    private enum Look {
        case new
        case known(RememberedAnswer)
        case atWork(UInt64)
    }

    private func look(_ key: String) throws -> Look {
        let now = clock.now
        return try state.withLock { state in
            dropOld(&state, at: now)
            if let record = state.records[key] {
                state.lastID += 1
                return record.answer.map { .known($0) } ?? .atWork(state.lastID)
            }
            makeRoom(&state, for: 1)
            guard state.records.count < maximumKeys else {
                throw RPCError(.resourceExhausted, "too many calls with idempotency keys are at work")
            }
            state.records[key] = Record()
            return .new
        }
    }

    private func wait(_ key: String, _ id: UInt64) async throws {
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (place: Place) in
                let error = state.withLock { state -> Result<Void, any Error>? in
                    // Asked under the lock that the cancellation handler takes: it finds the task here, or is seen.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    guard let record = state.records[key], record.answer == nil else { return .success(()) }
                    state.records[key]?.places[id] = place
                    return nil
                }
                if let error { place.resume(with: error) }
            }
        } onCancel: {
            state.withLock { $0.records[key]?.places.removeValue(forKey: id) }?.resume(throwing: CancellationError())
        }
    }

    private func dropOld(_ state: inout State, at now: MonotonicInstant) {
        while let oldest = state.order.first, oldest.until <= now { dropOldest(&state) }
    }

    private func makeRoom(_ state: inout State, for more: Int) {
        while !state.order.isEmpty, state.records.count + more > maximumKeys || state.bytes > maximumBytes {
            dropOldest(&state)
        }
    }

    private func dropOldest(_ state: inout State) {
        guard let oldest = state.order.popFirst(), let answer = state.records[oldest.key]?.answer else { return }
        state.records[oldest.key] = nil
        state.bytes -= Self.size(oldest.key, answer)
    }

    private static func size(_ key: String, _ answer: RememberedAnswer) -> Int {
        let entries = answer.metadata.entries.count + answer.trailers.entries.count
        return key.utf8.count + (answer.message?.count ?? 0) + answer.status.details.count + entries * 64 + 256
    }
}

extension IdempotencyMemory: DescribedPolicy {
    /// How much is remembered for how long, and how many keys there are now: never which.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("age", age), PolicyValue("maximumKeys", maximumKeys),
            PolicyValue("maximumBytes", "\(maximumBytes) bytes"), PolicyValue("keys", count),
        ]
    }
}
