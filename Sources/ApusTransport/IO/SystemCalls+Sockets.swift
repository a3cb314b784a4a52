// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A system call that failed, with its `errno`.
struct SystemFailure: Error {
    let code: Int32

    var text: String { UVError.text(-code) }

    /// Whether this machine has no such address.
    var isMissingAddress: Bool { code == EADDRNOTAVAIL || code == EAFNOSUPPORT }

    func explained(_ what: String) -> RPCError { RPCError(.unavailable, "\(what): \(text)", progress: .notConnected) }
}

// Results below 0 are `-errno`: what runs between a call and the look at errno might change it.
extension SystemCalls {
    @discardableResult
    static func check(_ result: Int32) throws(SystemFailure) -> Int32 {
        guard result >= 0 else { throw SystemFailure(code: -result) }
        return result
    }

    private static func failing(_ result: Int32) -> Int32 { result < 0 ? -errno : result }

    #if os(Linux)
        static let stream = Int32(SOCK_STREAM.rawValue)
    #else
        static let stream = SOCK_STREAM
    #endif
    // The libraries do not agree on the constant's type.
    static let ipv6 = Int32(IPPROTO_IPV6)

    /// A stream socket that does not block and that other programs do not inherit.
    static func makeSocket(_ family: Int32) -> Int32 {
        #if os(Linux)
            return failing(socket(family, stream | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0))
        #else
            let descriptor = failing(socket(family, stream, 0))
            return descriptor < 0 ? descriptor : adopt(descriptor)
        #endif
    }

    /// A datagram socket that does not block and that other programs do not inherit.
    static func makeDatagramSocket(_ family: Int32) -> Int32 {
        #if os(Linux)
            let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            return failing(socket(family, kind, 0))
        #else
            let descriptor = failing(socket(family, SOCK_DGRAM, 0))
            return descriptor < 0 ? descriptor : adopt(descriptor)
        #endif
    }

    /// Sends a datagram, or drops it where there is no room.
    static func send(_ bytes: [UInt8], to address: SocketAddress, _ descriptor: Int32) {
        #if os(Linux)
            let flags = Int32(MSG_NOSIGNAL)
        #else
            let flags: Int32 = 0
        #endif
        _ = bytes.withUnsafeBytes { bytes in
            address.withAddress { sendto(descriptor, bytes.baseAddress, bytes.count, flags, $0, $1) }
        }
    }

    /// Makes a descriptor non-blocking and keeps it from other programs; closes it when that fails.
    private static func adopt(_ descriptor: Int32) -> Int32 {
        let result = keep(descriptor)
        guard result < 0 else { return descriptor }
        close(descriptor)
        return result
    }

    /// Makes a descriptor non-blocking, and keeps programs that are started from here from inheriting it.
    static func keep(_ descriptor: Int32) -> Int32 {
        let flags = failing(fcntl(descriptor, F_GETFL))
        guard flags >= 0 else { return flags }
        let result = failing(fcntl(descriptor, F_SETFL, flags | O_NONBLOCK))
        return result < 0 ? result : failing(fcntl(descriptor, F_SETFD, FD_CLOEXEC))
    }

    static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) -> Int32 {
        var value = value
        return failing(setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size)))
    }

    static func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) throws(SystemFailure) -> Int32 {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        try check(failing(getsockopt(descriptor, level, name, &value, &size)))
        return value
    }

    static func bindSocket(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
        failing(bind(descriptor, address, size))
    }

    static func listenSocket(_ descriptor: Int32, _ backlog: Int32) -> Int32 { failing(listen(descriptor, backlog)) }

    /// The address that a socket is bound to.
    static func name(of descriptor: Int32) -> SocketAddress? {
        SocketAddress { getsockname(descriptor, $0, $1) == 0 }
    }

    /// Takes the connection that waits longest.
    static func acceptSocket(_ listener: Int32) -> (result: Int32, peer: SocketAddress?) {
        var result: Int32 = 0
        let peer = SocketAddress { address, size in
            #if os(Linux)
                result = failing(apus_accept(listener, address, &size.pointee))
            #else
                result = failing(accept(listener, address, size))
                if result >= 0 { result = adopt(result) }
            #endif
            return result >= 0
        }
        return (result, peer)
    }

    /// Connects to a Unix domain socket, which is done at once or not at all.
    static func connectUnix(_ address: SocketAddress) -> Int32 {
        let descriptor = makeSocket(AF_UNIX)
        guard descriptor >= 0 else { return descriptor }
        let result = failing(address.withAddress { connect(descriptor, $0, $1) })
        guard result < 0 else { return descriptor }
        close(descriptor)
        return result
    }

    /// A descriptor to hold in reserve.
    static func openReserve() -> Int32 { failing(open("/dev/null", O_RDONLY | O_CLOEXEC)) }
}

// MARK: Files of sockets

extension SystemCalls {
    /// Which file it is, whatever its name.
    struct FileIdentity: Equatable, Sendable {
        let device: UInt64
        let number: UInt64
    }

    /// What a try to connect says about a socket's file.
    enum Probe {
        case listens
        case nobodyListens
        case unknown(String)
    }

    static func probe(_ address: SocketAddress) -> Probe {
        let result = connectUnix(address)
        switch -result {
        case ECONNREFUSED, ENOENT: return .nobodyListens
        // Its backlog is full.
        case EAGAIN: return .listens
        case 1...: return .unknown(UVError.text(result))
        default:
            close(result)
            return .listens
        }
    }

    /// The file's identity; nil when there is no socket.
    static func identity(ofSocket path: String) -> FileIdentity? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return FileIdentity(
            device: UInt64(truncatingIfNeeded: status.st_dev), number: UInt64(truncatingIfNeeded: status.st_ino))
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func setPermissions(_ path: String, _ permissions: UInt16) -> Int32 {
        failing(chmod(path, mode_t(permissions)))
    }

    static func remove(_ path: String) { _ = unlink(path) }
}
