// SPDX-License-Identifier: Apache-2.0

import AdminDemo
import Apus
import ApusAdmin
import Foundation

/// The shop with its page on a free port, for as long as a test looks at it.
func withPage<Value: Sendable>(
    _ change: (inout AdminOptions) -> Void = { _ in },
    _ body: @escaping @Sendable (_ shop: WatchedShop, _ port: Int) async throws -> Value
) async throws -> Value {
    var options = AdminOptions()
    options.port = 0
    change(&options)
    let shop = try await WatchedShop(instances: 3, options: options)
    let (addresses, told) = AsyncStream.makeStream(of: String.self)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { told.finish() }
            try await shop.page.run { told.yield($0) }
        }
        guard let address = await addresses.first(where: { _ in true }), let port = URL(string: address)?.port else {
            try await tasks.next()
            throw PageError(what: "the page has no address")
        }
        let value = try await body(shop, port)
        await shop.stop()
        // It ends with the servers that it shows.
        try await tasks.waitForAll()
        return value
    }
}

struct PageError: Error {
    let what: String
}

/// Asks the page over a socket of its own, byte for byte; reads to the end.
struct RawRequest {
    let text: String

    /// - Parameter fields: lines besides the host.
    init(_ path: String, method: String = "GET", host: String = "localhost", fields: [String] = []) {
        text = (["\(method) \(path) HTTP/1.1", "Host: \(host)"] + fields + ["", ""]).joined(separator: "\r\n")
    }

    init(text: String) { self.text = text }

    /// The answer with its head.
    func answer(port: Int) async throws -> String {
        let socket = try ClientSocket(port: port)
        socket.send(text)
        return await socket.receive { _ in false }
    }
}

/// A blocking socket to this machine, never for longer than its patience.
final class ClientSocket: @unchecked Sendable {
    // Sendable: a test uses it on one thread after the other.
    private let descriptor: Int32

    init(port: Int) throws {
        #if canImport(Darwin)
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw PageError(what: "nobody listens on \(port)") }
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// What comes until `isEnough`, or until the end. Blocks no thread of tasks: the page needs those.
    func receive(until isEnough: @escaping @Sendable (String) -> Bool) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                while !isEnough(String(decoding: bytes, as: UTF8.self)), let more = self.next() { bytes += more }
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    private func next() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }
}
