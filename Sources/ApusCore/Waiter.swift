// SPDX-License-Identifier: Apache-2.0

/// The place of one suspended task in a state behind a mutex.
///
/// It holds one rule for all who wait: whether the task was cancelled is asked under the lock that its cancellation
/// handler takes. So a cancellation is either seen here, or finds the task waiting; it is never lost.
///
/// Inlinable all over: readers of streams are specialized where they are used.
@usableFromInline
package struct Waiter<Value: Sendable> {
    @usableFromInline package typealias Continuation = UnsafeContinuation<Value, any Error>

    @usableFromInline var continuation: Continuation?

    @inlinable package init() {}

    /// Lets the calling task wait. Under the lock, inside of `withUnsafeThrowingContinuation`.
    ///
    /// - Parameter error: what a task that was cancelled gets.
    /// - Returns: the error to resume with when it may not: it was cancelled, or another task waits here.
    @inlinable
    package mutating func wait(
        _ continuation: Continuation, cancelled error: @autoclosure () -> any Error = CancellationError()
    ) -> (any Error)? {
        if Task.isCancelled { return error() }
        if self.continuation != nil { return RPCError(.internal, "two tasks read one stream") }
        self.continuation = continuation
        return nil
    }

    /// The task that waits, which no longer does: to be resumed outside of the lock. Also for cancellation handlers.
    @inlinable
    package mutating func take() -> Continuation? { continuation.take() }
}

/// The places of any number of suspended tasks, first come, first served; by the rule of ``Waiter``.
package struct Waiters: Sendable {
    package typealias Continuation = UnsafeContinuation<Void, any Error>

    private var all: [(id: UInt64, continuation: Continuation)] = []
    private var lastID: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { all.isEmpty }

    /// A name for a task that may wait: what ``cancel(_:)`` takes. Before the task suspends.
    package mutating func makeID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// Lets the calling task wait. Under the lock, inside of `withUnsafeThrowingContinuation`.
    ///
    /// - Parameter error: what a task that was cancelled gets.
    /// - Returns: that error when it was cancelled.
    package mutating func wait(
        _ continuation: Continuation, _ id: UInt64, cancelled error: @autoclosure () -> any Error = CancellationError()
    ) -> (any Error)? {
        if Task.isCancelled { return error() }
        all.append((id, continuation))
        return nil
    }

    /// The task with this name, if it waits: to be resumed outside of the lock.
    package mutating func cancel(_ id: UInt64) -> Continuation? {
        all.firstIndex { $0.id == id }.map { all.remove(at: $0).continuation }
    }

    /// All that wait, in their order, which no longer do: to be resumed outside of the lock.
    package mutating func takeAll() -> [Continuation] {
        guard !all.isEmpty else { return [] }
        defer { all = [] }
        return all.map(\.continuation)
    }
}
