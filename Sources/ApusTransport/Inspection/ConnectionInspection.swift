// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// A connection as operators look at it.
package struct ConnectionInspection: Sendable {
    /// Its number in the process' ``Inventory``.
    package let id: Int64
    /// Who is on the other side.
    package let peer: Endpoint.Address
    /// The streams that were opened on it.
    package let streamsStarted: Int64

    init(_ connection: HTTP2Connection) {
        id = connection.inventoryID
        peer = connection.io.peer
        streamsStarted = connection.streamsStarted
    }
}

extension ServerInspection {
    /// The numbers of its open connections.
    package var connectionIDs: [Int64] {
        active.state.withLock { state in state.connections.values.map(\.inventoryID) }
    }

    /// The open connection with a number; nil when there is none.
    package func connection(_ id: Int64) async -> ConnectionInspection? {
        let found = active.state.withLock { state in state.connections.values.first { $0.inventoryID == id } }
        guard let found else { return nil }
        return await found.loop.ask { ConnectionInspection(found) }
    }
}
