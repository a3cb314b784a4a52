// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// A channel's connections as operators look at them.
package struct ChannelInspection: Sendable {
    /// A way from one event loop to one endpoint.
    package struct Way: Sendable {
        /// Its number in the process' ``Inventory``.
        package let id: Int64
        /// The endpoint's address.
        package let address: Endpoint.Address
        /// Whether it can be used.
        package let state: ConnectivityState
        /// The tries that were sent on it.
        package let calls: CallCounts
        /// Its open connections.
        package let connections: [ConnectionInspection]
    }

    /// Its number in the process' ``Inventory``.
    package let id: Int64
    let connectivity: Connectivity
    let pools: [ConnectionPool]

    /// What its calls are for.
    package var target: String { connectivity.target }
    /// Whether it can be used.
    package var state: ConnectivityState { connectivity.current }

    /// Its ways to endpoints, asked of each event loop. Those of a loop that does not answer are left out.
    package func ways() async -> [Way] {
        var all: [Way] = []
        for pool in pools { all += await pool.loop.ask { pool.ways } ?? [] }
        return all
    }
}
