// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// What a connector needs of the system: names, and connections to numeric addresses.
protocol SocketNetwork: Sendable {
    /// Looks a name up without holding the loop, and answers once, on the loop, perhaps before this returns: with
    /// `.host` addresses that are numeric, in the order in which they should be tried.
    func lookUp(
        _ host: String, port: Int, on loop: any EventLoop,
        answer: @escaping (Result<[Endpoint.Address], ConnectFailure>) -> Void
    ) -> any Dialing

    /// Connects to one address, a numeric one if it is `.host`, and answers once, on the loop, perhaps before this
    /// returns.
    func connect(
        to address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing

    /// Whether a host is an IP address; nil when it is a name.
    func isIPv6(_ host: String) -> Bool?
}
