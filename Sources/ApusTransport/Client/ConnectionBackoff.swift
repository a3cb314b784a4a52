// SPDX-License-Identifier: Apache-2.0

/// How long to wait after a connection failed: growing, with jitter. Source: gRPC, *Connection Backoff Protocol*.
public struct ConnectionBackoff: Sendable, Hashable {
    /// The wait after the first failure.
    public var initial = Duration.seconds(1)
    /// What each further failure multiplies the wait by.
    public var multiplier = 1.6
    /// The longest wait.
    public var maximum = Duration.seconds(120)
    /// The share by which a wait is made longer or shorter at random.
    public var jitter = 0.2

    /// gRPC's figures.
    public init() {}

    /// The wait after `failures` failures in a row, at least one.
    ///
    /// - Parameter unit: a random number in `0..<1`.
    public func delay(failures: Int, unit: Double) -> Duration {
        var wait = initial
        for _ in 1..<max(1, min(failures, 64)) where wait < maximum { wait = wait * multiplier }
        return min(wait, maximum) * (1 + jitter * (2 * unit - 1))
    }
}
