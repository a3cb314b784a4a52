// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// The addresses of a host to listen on.
enum HostAddresses {
    /// A numeric host's one, or all that the system knows for a name, IPv4 first. Blocks while it asks.
    ///
    /// - Throws: INVALID_ARGUMENT for a port that is none; UNAVAILABLE with the system's reason for a name that has no
    ///   address.
    static func all(of host: String, port: Int, failed: String) throws(RPCError) -> [SocketAddress] {
        guard (0...65535).contains(port), !host.isEmpty else {
            throw RPCError(.invalidArgument, "\(failed): give a host and a port from 0 to 65535")
        }
        if let numeric = SocketAddress(host: host, port: port) { return [numeric] }
        var hints = addrinfo()
        hints.ai_socktype = SystemCalls.stream
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &list)
        guard result == 0 else {
            throw RPCError(.unavailable, "\(failed): look up \(host): \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(list) }
        return distinct(list)
    }

    private static func distinct(_ list: UnsafeMutablePointer<addrinfo>?) -> [SocketAddress] {
        var found: [SocketAddress] = []
        var entry = list
        while let current = entry {
            if let address = SocketAddress(UnsafePointer(current.pointee.ai_addr)),
                !found.contains(where: { $0.address == address.address })
            {
                found.append(address)
            }
            entry = current.pointee.ai_next
        }
        return found.filter { $0.family == AF_INET } + found.filter { $0.family != AF_INET }
    }
}
