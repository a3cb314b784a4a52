// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The pools of one channel, one for each loop: they tell each other which endpoints can be reached, since connectivity
/// is an endpoint's, and calls that wait on one loop shall hear of a connection on another.
final class PoolGroup: Sendable {
    private struct Member {
        weak let pool: ConnectionPool?
    }

    private let members = Mutex<[Member]>([])

    func add(_ pool: ConnectionPool) { members.withLock { $0.append(Member(pool: pool)) } }

    /// Tells all pools but the one whose connection it is.
    func becameReady(_ handle: EndpointHandle, in pool: ConnectionPool) {
        let others = members.withLock { $0.compactMap(\.pool) }.filter { $0 !== pool }
        for other in others { other.loop.execute { other.becameReadyElsewhere(handle) } }
    }
}
