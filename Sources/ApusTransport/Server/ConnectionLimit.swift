// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How many connections a server takes, from all clients and from each address. A connection beyond is closed at once:
/// its client reads that as UNAVAILABLE and goes elsewhere.
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
    /// - Returns: whether there is room; if so, ``left(_:)`` has to be called when it has gone.
    mutating func admit(_ peer: Endpoint.Address) -> Bool {
        if let total, open >= total { return false }
        if let perPeer, let host = Self.host(peer) {
            let count = peers[host, default: 0]
            guard count < perPeer else { return false }
            peers[host] = count + 1
        }
        open += 1
        return true
    }

    /// A connection that was admitted has gone.
    mutating func left(_ peer: Endpoint.Address) {
        open -= 1
        guard perPeer != nil, let host = Self.host(peer), let count = peers[host] else { return }
        peers[host] = count > 1 ? count - 1 : nil
    }

    // Addresses of other kinds are of this machine or process.
    private static func host(_ peer: Endpoint.Address) -> String? {
        if case .host(let host, _) = peer { host } else { nil }
    }
}
