// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import ApusDiscovery

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A name server on loopback whose answers a test writes, over UDP and TCP at one port. Released, it ends.
final class ScriptedNameServer: Sendable {
    /// Gives the answers to one message: none for silence.
    typealias Script = @Sendable (_ query: [UInt8], _ overTCP: Bool) -> [[UInt8]]

    struct Failure: Error {}

    let port: Int
    private let pipe: WakePipe
    private let ended = Mutex(false)

    init(_ script: @escaping Script) throws {
        pipe = try WakePipe()
        let (udp, tcp, port) = try Self.sockets()
        self.port = port
        let end = Thread(udp: udp, tcp: tcp, wake: pipe.readEnd, script: script)
        let pipe = pipe
        let isStarted = startThread {
            end.run()
            close(udp)
            close(tcp)
            pipe.close()
        }
        guard isStarted else { throw Failure() }
    }

    deinit { pipe.wake() }

    var server: NameServer { NameServer(host: "127.0.0.1", port: port) }

    private struct Thread: Sendable {
        let udp: Int32
        let tcp: Int32
        let wake: Int32
        let script: Script

        func run() {
            while true {
                var polled = [udp, tcp, wake].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                guard poll(&polled, 3, -1) > 0 else { continue }
                if polled[2].revents != 0 { return }
                if polled[0].revents != 0 { answerDatagram() }
                if polled[1].revents != 0 { answerConnection() }
            }
        }

        private func answerDatagram() {
            var (bytes, from) = ([UInt8](repeating: 0, count: 65536), sockaddr_in())
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    let count = recvfrom(udp, &bytes, bytes.count, 0, address, &length)
                    guard count >= 0 else { return }
                    for answer in script(Array(bytes.prefix(count)), false) {
                        sendto(udp, answer, answer.count, 0, address, length)
                    }
                }
            }
        }

        private func answerConnection() {
            let connection = accept(tcp, nil, nil)
            guard connection >= 0 else { return }
            defer { close(connection) }
            let head = Self.read(connection, 2)
            guard head.count == 2 else { return }
            let query = Self.read(connection, Int(head[0]) << 8 | Int(head[1]))
            for answer in script(query, true) {
                // In two parts, as the network may cut it anywhere.
                let bytes = [UInt8(answer.count >> 8), UInt8(answer.count & 0xFF)] + answer
                _ = send(connection, bytes, 1, Self.quietly)
                _ = send(connection, Array(bytes.dropFirst()), bytes.count - 1, Self.quietly)
            }
        }

        // A client that has gone must not end this process with a signal.
        #if canImport(Darwin)
            private static let quietly: Int32 = 0
        #else
            private static let quietly = Int32(MSG_NOSIGNAL)
        #endif

        private static func read(_ connection: Int32, _ count: Int) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            let got = recv(connection, &bytes, count, Int32(MSG_WAITALL))
            return Array(bytes.prefix(max(0, got)))
        }
    }

    /// A port that nobody has, for a server in a process of its own.
    static func freePort() throws -> Int {
        let (udp, tcp, port) = try sockets()
        close(udp)
        close(tcp)
        return port
    }

    private static func sockets() throws -> (udp: Int32, tcp: Int32, port: Int) {
        for _ in 0..<50 {
            let tcp = socket(AF_INET, stream, 0)
            let port = try bound(tcp, to: 0)
            let udp = socket(AF_INET, datagram, 0)
            if listen(tcp, 16) == 0, (try? bound(udp, to: port)) != nil { return (udp, tcp, port) }
            close(tcp)
            close(udp)
        }
        throw Failure()
    }

    private static func bound(_ descriptor: Int32, to port: Int) throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard result else { throw Failure() }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    #if canImport(Glibc)
        private static let stream = Int32(SOCK_STREAM.rawValue)
        private static let datagram = Int32(SOCK_DGRAM.rawValue)
    #else
        private static let stream = SOCK_STREAM
        private static let datagram = SOCK_DGRAM
    #endif
}
