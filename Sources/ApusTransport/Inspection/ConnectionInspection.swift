// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import ApusHTTP2
import Synchronization

/// A connection as operators look at it.
package struct ConnectionInspection: Sendable {
    /// Its number in the process' ``Inventory``.
    package let id: Int64
    /// Who is on the other side.
    package let peer: Endpoint.Address
    /// Where this side is; nil when nobody knows.
    package let local: Endpoint.Address?
    /// How it is encrypted; nil when it is not.
    package let security: ConnectionSecurity?
    /// The PINGs that asked whether the other side is still there.
    package let keepalivesSent: Int64
    /// The streams that were opened on it.
    package let streams: CallCounts

    init(_ connection: HTTP2Connection) {
        id = connection.inventoryID
        peer = connection.io.peer
        local = connection.io.local
        security = connection.io.security
        keepalivesSent = connection.keepalivesSent
        streams = CallCounts(
            started: connection.streamsStarted, failed: connection.streamsFailed,
            running: Int64(connection.session?.streamCount ?? 0))
    }
}

extension ServerInspection {
    /// The calls that its handlers were started for.
    package var calls: CallCounts {
        let counts = active.counts
        return CallCounts(
            started: Int64(counts.calls), failed: Int64(active.handlers.failed), running: Int64(counts.handlers))
    }

    /// The numbers of its open connections.
    package var connectionIDs: [Int64] {
        active.state.withLock { state in state.connections.values.map(\.inventoryID) }
    }

    /// The open connection with a number; nil when there is none.
    ///
    /// - Throws: UNAVAILABLE when its event loop does not answer.
    package func connection(_ id: Int64) async throws(RPCError) -> ConnectionInspection? {
        let found = active.state.withLock { state in state.connections.values.first { $0.inventoryID == id } }
        guard let found else { return nil }
        if let answer = await found.loop.ask({ ConnectionInspection(found) }) { return answer }
        throw RPCError(.unavailable, "the event loop of connection \(id) does not answer: something blocks it")
    }
}
