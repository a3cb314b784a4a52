// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Milliseconds since 1970-01-01 UTC: the only time that processes, and the rows they leave, have in common.
public typealias Milliseconds = Int64

/// The source of that time: a value, so that tests can turn it by hand.
public struct WallClock: Sendable {
    /// The present time.
    public let now: @Sendable () -> Milliseconds

    /// A clock of yours.
    public init(now: @escaping @Sendable () -> Milliseconds) { self.now = now }

    /// The machine's clock.
    public static let system = WallClock { Milliseconds(Date().timeIntervalSince1970 * 1000) }
}
