// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The pools of one channel, one for each loop: they tell each other which endpoints can be reached, since connectivity
/// is an endpoint's, and calls that wait on one loop shall hear of a connection on another.
final class PoolGroup: Sendable {
    // Not weakly: a count of an object that is referred to so is several times slower, and every call counts its pool.
    private let members = Mutex<[ConnectionPool]>([])

    /// Adds a pool that will be closed one day.
    func add(_ pool: ConnectionPool) { members.withLock { $0.append(pool) } }

    func remove(_ pool: ConnectionPool) { members.withLock { $0.removeAll { $0 === pool } } }

    /// Tells all pools but the one whose connection it is.
    func becameReady(_ handle: EndpointHandle, in pool: ConnectionPool) {
        let others = members.withLock { $0 }.filter { $0 !== pool }
        for other in others { other.loop.execute { other.becameReadyElsewhere(handle) } }
    }
}
