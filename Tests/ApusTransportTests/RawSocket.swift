// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Synchronization
import Testing

@testable import ApusTransport

/// A blocking TCP socket for tests that write the wire by hand. Used by one script at a time.
final class RawSocket: @unchecked Sendable {
    struct Failure: Error {
        let what: String
        let code = errno
    }

    let descriptor: Int32
    private var isOpen = true

    // Only a test that fails waits so long.
    private static let patience = timeval(tv_sec: 600, tv_usec: 0)

    fileprivate init(descriptor: Int32) throws {
        self.descriptor = descriptor
        // Tests in processes of their own count theirs.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var patience = Self.patience
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    }

    convenience init(connectingTo address: Endpoint.Address) throws {
        guard case .host(_, let port) = address else { throw Failure(what: "not TCP: \(address)") }
        try self.init(descriptor: RawSocket.make())
        try RawSocket.withLoopback(port) { address, size in
            guard connect(descriptor, address, size) == 0 else { throw Failure(what: "connect") }
        }
    }

    /// Leaves the file of a Unix domain socket behind, as a process does that is killed.
    static func leaveSocketFile(_ path: String) throws {
        let descriptor = try make(AF_UNIX)
        defer { Foundation.close(descriptor) }
        let address = try #require(SocketAddress(unixPath: path))
        guard address.withAddress({ bind(descriptor, $0, $1) }) == 0 else { throw Failure(what: "bind") }
    }

    deinit { close() }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Darwin)
                let flags: Int32 = 0
            #else
                let flags = Int32(MSG_NOSIGNAL)
            #endif
            let count = rest.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, flags) }
            guard count > 0 else { throw Failure(what: "send") }
            rest = rest.dropFirst(count)
        }
    }

    /// Exactly `count` bytes; nil when the other side ended the connection before.
    func receive(_ count: Int) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = try receiveSome(atMost: count - bytes.count) else { return nil }
            bytes += more
        }
        return bytes
    }

    /// Everything until the other side ends the connection.
    func receiveAll() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try receiveSome(atMost: 4096) { bytes += more }
        return bytes
    }

    /// Sends everything on to another socket, its end included.
    func pass(to other: RawSocket) throws {
        defer { other.endSending() }
        while let bytes = try receiveSome(atMost: 4096) { try other.send(bytes) }
    }

    /// What there is, at least one byte; nil when the other side has ended the connection.
    func receiveSome(atMost limit: Int) throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        if count == 0 || (count < 0 && errno == ECONNRESET) { return nil }
        guard count > 0 else { throw Failure(what: "receive") }
        return Array(buffer.prefix(count))
    }

    /// Says that nothing more will be sent.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        guard isOpen else { return }
        isOpen = false
        Foundation.close(descriptor)
    }

    /// Ends the connection with a TCP reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    fileprivate static func make(_ family: Int32 = AF_INET) throws -> Int32 {
        #if canImport(Darwin)
            let descriptor = socket(family, SOCK_STREAM, 0)
        #else
            let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw Failure(what: "socket") }
        return descriptor
    }

    fileprivate static func withLoopback<R>(
        _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> R
    ) throws -> R {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return try withUnsafePointer(to: address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// A listening socket whose connections a script accepts, or leaves waiting.
final class RawListener: Sendable {
    private let descriptor: Int32
    private let isClosed = Atomic<Bool>(false)
    let address: Endpoint.Address

    init() throws {
        let descriptor = try RawSocket.make()
        self.descriptor = descriptor
        try RawSocket.withLoopback(0) { address, size in
            guard bind(descriptor, address, size) == 0, listen(descriptor, 16) == 0 else {
                throw RawSocket.Failure(what: "listen")
            }
        }
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &size) }
        }
        address = .host("127.0.0.1", port: Int(UInt16(bigEndian: name.sin_port)))
    }

    deinit { close() }

    /// Nobody listens any more.
    func close() {
        if !isClosed.exchange(true, ordering: .relaxed) { Foundation.close(descriptor) }
    }

    func accept() throws -> RawSocket {
        let accepted = Foundation.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw RawSocket.Failure(what: "accept") }
        return try RawSocket(descriptor: accepted)
    }
}

/// Blocking code on a thread of its own, which starts at once: Swift's pool has few threads, and they may be busy.
final class Script<R: Sendable>: Sendable {
    private let done = Latch()
    private let result = Mutex<Result<R, any Error>?>(nil)

    init(_ body: @escaping @Sendable () throws -> R) {
        Thread.detachNewThread {
            let result = Result { try body() }
            self.result.withLock { $0 = result }
            self.done.countDown()
        }
    }

    /// Waits for the script's end.
    var value: R {
        get async throws {
            await done.wait()
            guard let result = result.withLock({ $0 }) else { throw RawSocket.Failure(what: "no result") }
            return try result.get()
        }
    }
}

/// Runs blocking code and waits for it.
func script<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await Script(body).value
}
