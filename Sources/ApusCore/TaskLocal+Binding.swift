// SPDX-License-Identifier: Apache-2.0

extension TaskLocal {
    /// Binds a value while `operation` runs, where the caller runs.
    ///
    /// `withValue` takes an operation that runs on Swift's pool, whoever calls: a caller on an actor, the main one say,
    /// pays for the way there and back. A closure that holds on to the caller's isolation stays; `operation` does,
    /// unless it has a list of captures, with which the compiler (6.3) takes it for one of the pool's.
    @inlinable
    package func binding<Result>(
        _ value: Value, isolation: isolated (any Actor)? = #isolation,
        operation: nonisolated(nonsending) () async throws -> Result
    ) async rethrows -> Result {
        try await withValue(
            value,
            operation: {
                _ = isolation
                return try await operation()
            }, isolation: isolation)
    }
}
