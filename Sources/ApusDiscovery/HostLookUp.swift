// SPDX-License-Identifier: Apache-2.0

package import ApusCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Asks for the numeric addresses of a host: a value, so that tests can answer.
package struct HostLookUp: Sendable {
    package let addresses: @Sendable (_ host: String) async -> Result<[String], RPCError>

    package init(_ addresses: @escaping @Sendable (_ host: String) async -> Result<[String], RPCError>) {
        self.addresses = addresses
    }

    /// The system's resolver, which blocks: each question has a thread of its own.
    package static let system = HostLookUp { host in
        await withUnsafeContinuation { continuation in
            let isStarted = startThread { continuation.resume(returning: resolved(host)) }
            guard !isStarted else { return }
            continuation.resume(
                returning: .failure(RPCError(.unavailable, "look up \(host): there can be no other thread")))
        }
    }

    private static func resolved(_ host: String) -> Result<[String], RPCError> {
        var hints = addrinfo()
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(host, nil, &hints, &list)
        guard failure == 0 else {
            return .failure(RPCError(.unavailable, "look up \(host): \(String(cString: gai_strerror(failure)))"))
        }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var entry = list
        while let current = entry, found.count < DNSRegistry.maximumAddresses {
            if let text = numeric(current.pointee), !found.contains(text) { found.append(text) }
            entry = current.pointee.ai_next
        }
        return .success(found)
    }

    private static func numeric(_ info: addrinfo) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = getnameinfo(
            info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard result == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
