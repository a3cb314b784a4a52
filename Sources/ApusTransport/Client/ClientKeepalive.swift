// SPDX-License-Identifier: Apache-2.0

import ApusWire

/// How a channel finds out that a silent server is gone. Source: gRFC A8.
public struct ClientKeepalive: Sendable, Hashable {
    /// The silence after which the server is asked, at least 10 seconds. A server that finds it too often
    /// (`too_many_pings`) makes the channel double it for that endpoint.
    public private(set) var interval: Duration
    /// The time that the server has for its answer.
    public var timeout: Duration
    /// Whether the server is asked while no call is open. Most servers allow that once in two hours only.
    public var withoutCalls: Bool

    /// The shortest interval that is used.
    public static let minimumInterval = Duration.seconds(10)

    /// A keepalive; intervals under 10 seconds become 10 seconds.
    public init(interval: Duration, timeout: Duration = .seconds(20), withoutCalls: Bool = false) {
        self.interval = max(interval, Self.minimumInterval)
        self.timeout = timeout
        self.withoutCalls = withoutCalls
    }

    /// Without the lower limit, for tests of servers.
    package init(unlimited interval: Duration, timeout: Duration, withoutCalls: Bool) {
        self.interval = interval
        self.timeout = timeout
        self.withoutCalls = withoutCalls
    }

    /// The server found the pings too many.
    mutating func slowDown() { interval = interval * 2 }

    var schedule: KeepaliveSchedule {
        KeepaliveSchedule(interval: interval, timeout: timeout, withoutCalls: withoutCalls)
    }
}
