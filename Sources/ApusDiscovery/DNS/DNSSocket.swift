// SPDX-License-Identifier: Apache-2.0

import ApusCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Why a name server could not be asked.
struct DNSSocketError: Error {
    let reason: String
    /// Whether all servers say that they do not answer such questions.
    let isRefusal: Bool

    init(_ reason: String, isRefusal: Bool = false) {
        self.reason = reason
        self.isRefusal = isRefusal
    }

    /// The system call that has just failed on this thread.
    init(failed call: String) { self.init("\(call): \(String(cString: strerror(errno)))") }
}

/// A socket to one name server, for one message: the kernel gives it a port at random, and as it is connected lets
/// nobody else's bytes in. All calls may block, until the deadline at the latest.
struct DNSSocket: ~Copyable {
    private let descriptor: Int32
    private let isStream: Bool
    private let deadline: MonotonicInstant
    private let clock: SystemClock

    /// - Parameter server: a numeric address.
    init(to server: NameServer, overTCP: Bool, timeout: Duration) throws(DNSSocketError) {
        let opened = try Self.connected(to: server, overTCP ? Self.stream : Self.datagram)
        descriptor = opened
        clock = SystemClock()
        isStream = overTCP
        deadline = clock.now.advanced(by: timeout)
    }

    private static func connected(to server: NameServer, _ kind: Int32) throws(DNSSocketError) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = kind
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(server.host, String(server.port), &hints, &list) == 0, let address = list?.pointee else {
            throw DNSSocketError("it is no numeric address")
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(address.ai_family, address.ai_socktype, 0)
        guard descriptor >= 0 else { throw DNSSocketError(failed: "socket") }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let result = connect(descriptor, address.ai_addr, address.ai_addrlen)
        guard result == 0 || errno == EINPROGRESS else {
            let error = DNSSocketError(failed: "connect")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    deinit { close(descriptor) }

    /// Sends a message; over TCP with its length before it.
    func send(_ message: [UInt8]) throws(DNSSocketError) {
        let length = UInt16(clamping: message.count)
        let prefix = isStream ? [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)] : []
        var rest = (prefix + message)[...]
        while !rest.isEmpty {
            try wait(for: Int16(POLLOUT))
            let count = rest.withUnsafeBytes { Self.send(descriptor, $0) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { throw DNSSocketError(failed: "send") }
            rest = rest.dropFirst(count)
        }
    }

    /// The next message.
    func receive() throws(DNSSocketError) -> [UInt8] {
        guard isStream else { return try read(upTo: Int(UInt16.max)) }
        let length = try read(exactly: 2).reduce(0) { $0 << 8 | Int($1) }
        return try read(exactly: length)
    }

    private func read(exactly count: Int) throws(DNSSocketError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try read(upTo: count - bytes.count)
            guard !more.isEmpty else { throw DNSSocketError("it ended the connection") }
            bytes += more
        }
        return bytes
    }

    private func read(upTo limit: Int) throws(DNSSocketError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            try wait(for: Int16(POLLIN))
            let count = recv(descriptor, &buffer, limit, 0)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count >= 0 else { throw DNSSocketError(failed: "receive") }
            return Array(buffer.prefix(count))
        }
    }

    private func wait(for events: Int16) throws(DNSSocketError) {
        while true {
            let left = clock.now.duration(to: deadline).saturatedNanoseconds
            guard left > 0 else { throw DNSSocketError("no answer came in time") }
            var polled = pollfd(fd: descriptor, events: events, revents: 0)
            // Rounded up, so that it does not wake too early again and again.
            if poll(&polled, 1, Int32(clamping: (left + 999_999) / 1_000_000)) > 0 { return }
        }
    }

    #if canImport(Glibc)
        private static let stream = Int32(SOCK_STREAM.rawValue)
        private static let datagram = Int32(SOCK_DGRAM.rawValue)
    #else
        private static let stream = SOCK_STREAM
        private static let datagram = SOCK_DGRAM
    #endif

    private static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            // Where no flag keeps the signal away, an option of the socket does.
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
            return Darwin.send(descriptor, bytes.baseAddress, bytes.count, 0)
        #elseif canImport(Musl)
            return Musl.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #else
            return Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #endif
    }
}
