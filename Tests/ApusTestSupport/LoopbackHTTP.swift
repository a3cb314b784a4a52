// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A page at `http://127.0.0.1`, for strangers' programs that a test starts: HTTP/1.1 as simple as it can be, one
/// request for each connection. Released, it is there no more.
package final class LoopbackPage: Sendable {
    package let port: Int
    private let isOver: Flag
    private let asked = Counter()

    private final class Flag: Sendable {
        let value = Atomic<Bool>(false)
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }

    /// How often it was asked for.
    package var requests: Int { asked.value.load(ordering: .relaxed) }

    /// - Parameter text: makes the page anew for each request, whatever its path.
    package init(contentType: String, _ text: @escaping @Sendable () -> String) throws {
        let listener = try LoopbackSocket.listening()
        port = listener.port
        let (isOver, asked) = (Flag(), asked)
        self.isOver = isOver
        Thread.detachNewThread {
            while !isOver.value.load(ordering: .relaxed) {
                guard let socket = listener.accept(within: 50), socket.request() != nil else { continue }
                asked.value.add(1, ordering: .relaxed)
                let body = Array(text().utf8)
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n"
                    + "Connection: close\r\n\r\n"
                socket.send(Array(head.utf8) + body)
            }
        }
    }

    deinit { isOver.value.store(true, ordering: .relaxed) }
}

/// Asks a program on this machine.
package enum LoopbackHTTP {
    /// The answer with its head; nil when nobody answers. Blocks no thread of tasks.
    package static func get(_ path: String, port: Int) async -> String? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: blockingGet(path, port: port)) }
        }
    }

    private static func blockingGet(_ path: String, port: Int) -> String? {
        guard let socket = LoopbackSocket(connectingTo: port) else { return nil }
        socket.send(Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8))
        let answer = socket.receiveAll()
        return answer.isEmpty ? nil : String(decoding: answer, as: UTF8.self)
    }

    /// A port that nobody had a moment ago, for programs that cannot be asked which one they took.
    package static func freePort() throws -> Int { try LoopbackSocket.listening().port }
}

/// A blocking TCP socket. Used by one thread at a time, and never for longer than its patience.
private final class LoopbackSocket: @unchecked Sendable {
    struct Failure: Error {
        let what: String
        let code = errno
    }

    private static let patience = timeval(tv_sec: 60, tv_usec: 0)
    private static let longestRequest = 65_536
    private let descriptor: Int32
    private(set) var port = 0

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        // Programs that tests start shall not have it.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var patience = Self.patience
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    }

    deinit { close(descriptor) }

    static func listening() throws -> LoopbackSocket {
        let socket = LoopbackSocket(make())
        guard withAddress(0, { bind(socket.descriptor, $0, $1) }) == 0, listen(socket.descriptor, 16) == 0 else {
            throw Failure(what: "listen")
        }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.descriptor, $0, &size) }
        }
        guard status == 0 else { throw Failure(what: "getsockname") }
        socket.port = Int(UInt16(bigEndian: address.sin_port))
        return socket
    }

    convenience init?(connectingTo port: Int) {
        self.init(Self.make())
        guard Self.withAddress(port, { connect(descriptor, $0, $1) }) == 0 else { return nil }
    }

    /// The next connection; nil when none came in so many milliseconds.
    func accept(within milliseconds: Int32) -> LoopbackSocket? {
        var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&question, 1, milliseconds) == 1 else { return nil }
        let new = Foundation.accept(descriptor, nil, nil)
        return new < 0 ? nil : LoopbackSocket(new)
    }

    /// The head of a request; nil when none came.
    func request() -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < Self.longestRequest {
            guard let more = receive() else { return nil }
            bytes += more
            if bytes.suffix(4) == Array("\r\n\r\n".utf8)[...] { return bytes }
        }
        return nil
    }

    func receiveAll() -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = receive() { bytes += more }
        return bytes
    }

    private func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    func send(_ bytes: [UInt8]) {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, flags) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func make() -> Int32 {
        #if canImport(Darwin)
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
            return descriptor
        #else
            return socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #endif
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                body(generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
