// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// A socket that listens, before a loop watches it. Blocking calls, made once when a server starts.
struct ListeningSocket: Sendable {
    let descriptor: Int32
    /// What it is bound to.
    let address: Endpoint.Address
    /// The file that goes with it.
    var file: UnixSocketFile?
    /// Whether somebody else keeps the socket, so that connections may wait in it for the next process.
    var isKept = false

    /// Binds what the target says: several sockets for a name with several addresses, and for a shared port.
    ///
    /// - Parameter loops: the number of event loops.
    /// - Throws: INVALID_ARGUMENT for an address that is none, UNAVAILABLE with the cause for one that is in use or
    ///   not ours; FAILED_PRECONDITION for sockets that were not inherited.
    static func open(_ target: ListenTarget, loops: Int) throws(RPCError) -> [ListeningSocket] {
        switch target.source {
        case .inherited(let name): return try InheritedSockets.take(name)
        case .address(.memory(let name)):
            throw RPCError(
                .invalidArgument, "cannot listen on memory:\(name): such an address belongs to an InMemoryNetwork")
        case .address(.unix(let path)): return [try open(path: path, target)]
        case .address(.unixAbstract(let name)):
            let address = Endpoint.Address.unixAbstract(name: name)
            guard let socket = SocketAddress(abstractName: name) else { throw unfit(address) }
            return [try open(socket, target, failed: "cannot listen on \(address)")]
        case .address(.host(let host, let port)):
            return try open(host: host, port: port, target, copies: target.sharesPort ? loops : 1)
        }
    }

    func close() {
        SystemCalls.close(descriptor)
        file?.remove()
    }

    // MARK: TCP

    // A name's addresses get the same port. With port 0 the first one's may be taken on the next: then another.
    private static let triesForPort = 16

    private static func open(
        host: String, port: Int, _ target: ListenTarget, copies: Int
    ) throws(RPCError) -> [ListeningSocket] {
        let failed = "cannot listen on \(Endpoint.Address.host(host, port: port))"
        let addresses = try HostAddresses.all(of: host, port: port, failed: failed)
        var tries = port == 0 && addresses.count * copies > 1 ? triesForPort : 1
        while true {
            tries -= 1
            do throws(RPCError) {
                return try open(addresses, target, copies: copies, failed: failed)
            } catch {
                if tries <= 0 { throw error }
            }
        }
    }

    private static func open(
        _ addresses: [SocketAddress], _ target: ListenTarget, copies: Int, failed: String
    ) throws(RPCError) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        var missing: RPCError?
        do throws(RPCError) {
            for address in addresses {
                for _ in 0..<copies {
                    do throws(SystemFailure) {
                        sockets.append(try open(address.with(portOf: sockets.first?.address), target))
                    } catch {
                        let reason = error.explained(failed)
                        guard error.isMissingAddress else { throw reason }
                        missing = reason
                    }
                }
            }
            if sockets.isEmpty, let missing { throw missing }
            return sockets
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
    }

    // MARK: Unix domain

    private static func open(path: String, _ target: ListenTarget) throws(RPCError) -> ListeningSocket {
        guard let address = SocketAddress(unixPath: path) else { throw unfit(.unix(path: path)) }
        let failed = "cannot listen on \(Endpoint.Address.unix(path: path))"
        if let problem = UnixSocketFile.clear(path, address) { throw RPCError(.unavailable, "\(failed): \(problem)") }
        var socket = try open(address, target, failed: failed)
        socket.file = UnixSocketFile(path: path)
        return socket
    }

    private static func unfit(_ address: Endpoint.Address) -> RPCError {
        RPCError(.invalidArgument, "cannot listen on \(address): no Unix domain socket can have this name")
    }

    // MARK: System calls

    private static func open(
        _ address: SocketAddress, _ target: ListenTarget, failed: String
    ) throws(RPCError) -> ListeningSocket {
        do throws(SystemFailure) {
            return try open(address, target)
        } catch {
            throw error.explained(failed)
        }
    }

    private static func open(
        _ address: SocketAddress, _ target: ListenTarget
    ) throws(SystemFailure) -> ListeningSocket {
        let descriptor = try SystemCalls.check(SystemCalls.makeSocket(address.family))
        do throws(SystemFailure) {
            try prepare(descriptor, address, target)
            try SystemCalls.check(address.withAddress { SystemCalls.bindSocket(descriptor, $0, $1) })
            if case .unix(let path) = address.address, let permissions = target.permissions {
                try SystemCalls.check(SystemCalls.setPermissions(path, permissions))
            }
            try SystemCalls.check(SystemCalls.listenSocket(descriptor, Int32(clamping: max(1, target.backlog))))
        } catch {
            SystemCalls.close(descriptor)
            throw error
        }
        let bound = SystemCalls.name(of: descriptor) ?? address
        return ListeningSocket(descriptor: descriptor, address: bound.address)
    }

    private static func prepare(
        _ descriptor: Int32, _ address: SocketAddress, _ target: ListenTarget
    ) throws(SystemFailure) {
        guard address.family != AF_UNIX else { return }
        // A server that starts again is not held up by its past connections.
        try SystemCalls.check(SystemCalls.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1))
        if target.sharesPort { try SystemCalls.check(SystemCalls.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1)) }
        guard address.family == AF_INET6 else { return }
        // Said either way: what holds otherwise is up to the machine (Linux: net.ipv6.bindv6only).
        let only: Int32 = target.takesIPv6Only ? 1 : 0
        try SystemCalls.check(SystemCalls.setOption(descriptor, SystemCalls.ipv6, IPV6_V6ONLY, only))
    }
}
