// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization

/// Tells when any process, this one included, wrote to a SQLite file. Safe from any task.
///
/// SQLite has no event for that; `PRAGMA data_version` costs some microseconds and changes on a connection whenever
/// another connection committed. So this has a connection of its own, on which nobody writes. Source: SQLite, *PRAGMA
/// data_version*.
///
/// ```swift
/// var seen = changes.version          // first the version,
/// while true {
///     send(try store.updates(...))    // then the data: what is written between the two is not missed
///     seen = try await changes.next(after: seen)
/// }
/// ```
public final class FileChanges: Sendable {
    private let connection: DatabaseQueue
    private let state: Mutex<State>

    private typealias Waiter = CheckedContinuation<Int, any Error>

    private struct State {
        var version: Int
        var lastWaiter: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]

        mutating func takeWaiters() -> [Waiter] {
            defer { waiters = [:] }
            return Array(waiters.values)
        }
    }

    init(path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(1)
        do {
            let connection = try DatabaseQueue(path: path, configuration: configuration)
            self.connection = connection
            state = Mutex(State(version: try Self.dataVersion(connection)))
        } catch {
            throw StoreError.translating(error)
        }
    }

    /// The version that the last look at the file found.
    public var version: Int { state.withLock { $0.version } }

    /// How many tasks wait for a change.
    public var waiterCount: Int { state.withLock { $0.waiters.count } }

    /// Waits until somebody looks at the file and finds another version than this one; wakes without a change when
    /// the file cannot be read, for the caller's own reading to say why.
    ///
    /// - Throws: `CancellationError`.
    public func next(after seen: Int) async throws -> Int {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { enter($0, id: id, after: seen) }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(throwing: CancellationError())
        }
    }

    /// Looks at the file, and wakes all who wait if it has changed.
    ///
    /// - Throws: ``StoreError``, after waking them.
    public func look() throws {
        do {
            let found = try Self.dataVersion(connection)
            wake { state in
                guard found != state.version else { return [] }
                state.version = found
                return state.takeWaiters()
            }
        } catch {
            wake { $0.takeWaiters() }
            throw StoreError.translating(error)
        }
    }

    /// Looks again and again while somebody waits, until its task is cancelled.
    public func look(every interval: Duration, clock: some Clock<Duration> = ContinuousClock()) async {
        while (try? await clock.sleep(for: interval)) != nil {
            // A failure has woken the waiters: it is theirs to report.
            if waiterCount > 0 { try? look() }
        }
    }

    private func enter(_ waiter: Waiter, id: UInt64, after seen: Int) {
        let answer: Result<Int, any Error>? = state.withLock { state in
            // Asked under the lock: a cancellation from here on finds the waiter in the table.
            if Task.isCancelled { return .failure(CancellationError()) }
            if state.version != seen { return .success(state.version) }
            state.waiters[id] = waiter
            return nil
        }
        if let answer { waiter.resume(with: answer) }
    }

    private func wake(_ choose: (inout State) -> [Waiter]) {
        let (waiters, version) = state.withLock { (choose(&$0), $0.version) }
        for waiter in waiters { waiter.resume(returning: version) }
    }

    private static func dataVersion(_ connection: DatabaseQueue) throws -> Int {
        try connection.unsafeRead { try Int.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
    }
}
