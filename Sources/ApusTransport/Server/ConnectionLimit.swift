// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How many connections a server takes, from all clients and from each network of one client. A connection beyond is
/// closed at once: its client reads that as UNAVAILABLE and goes elsewhere.
struct ConnectionLimit {
    private let total: Int?
    private let perPeer: Int?
    private var open = 0
    private var peers: [String: Int] = [:]

    init(total: Int?, perPeer: Int?) {
        self.total = total
        self.perPeer = perPeer
    }

    /// A connection came.
    ///
    /// - Returns: whether there is room; if so, ``left()`` has to be called when it has gone.
    mutating func admit() -> Bool {
        if let total, open >= total { return false }
        open += 1
        return true
    }

    /// A connection turned out to be this client's.
    ///
    /// - Returns: whether there is room; if so, ``left(_:)`` has to be called when it has gone.
    mutating func admit(_ peer: Endpoint.Address) -> Bool {
        guard let perPeer, let network = Self.network(peer) else { return true }
        let count = peers[network, default: 0]
        guard count < perPeer else { return false }
        peers[network] = count + 1
        return true
    }

    /// A connection that was admitted has gone.
    mutating func left() { open -= 1 }

    /// A client's connection that was admitted has gone.
    mutating func left(_ peer: Endpoint.Address) {
        guard perPeer != nil, let network = Self.network(peer), let count = peers[network] else { return }
        peers[network] = count > 1 ? count - 1 : nil
    }

    // An IPv4 address, or the first half of an IPv6 address: a client has all addresses of such a network (RFC 4291,
    // section 2.5.4). Addresses of other kinds are of this machine or process.
    private static func network(_ peer: Endpoint.Address) -> String? {
        guard case .host(let host, _) = peer else { return nil }
        return SocketAddress(host: host, port: 0)?.network ?? host
    }
}
