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

/// A socket's address in C's form: IPv4, IPv6, or a Unix domain socket's.
struct SocketAddress {
    private var storage = sockaddr_storage()
    // How much of the storage the system is to look at.
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    /// The address of a numeric host; nil for a name.
    init?(host: String, port: Int) {
        guard (0...65535).contains(port) else { return nil }
        let number = Int32(port)
        let ok = withUnsafeMutablePointer(to: &storage) { pointer in
            let memory = UnsafeMutableRawPointer(pointer)
            // sockaddr_storage is made to hold either family.
            return uv_ip4_addr(host, number, memory.assumingMemoryBound(to: sockaddr_in.self)) == 0
                || uv_ip6_addr(host, number, memory.assumingMemoryBound(to: sockaddr_in6.self)) == 0
        }
        guard ok else { return nil }
        length = Self.length(family) ?? length
    }

    /// A copy of what C holds; nil for a family that is not IP.
    init?(_ address: UnsafePointer<sockaddr>?) {
        guard let address, let length = Self.length(Int32(address.pointee.sa_family)) else { return nil }
        self.length = length
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(length)))
        }
    }

    /// What the system writes about a socket; nil when it has nothing to say.
    init?(filledBy fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Bool) {
        var size = length
        let ok = withUnsafeMutablePointer(to: &storage) { pointer in
            fill(UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &size)
        }
        guard ok, size <= length else { return nil }
        length = size
    }

    /// The address of a Unix domain socket's file; nil for a path that no such address can hold.
    init?(unixPath path: String) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
        // With the NUL behind it, which all systems take.
        self.init(unix: bytes + [0])
    }

    /// A name in Linux's abstract namespace; nil for one that no such address can hold. Source: unix(7).
    init?(abstractName name: String) {
        #if os(Linux)
            self.init(unix: [0] + Array(name.utf8))
        #else
            return nil
        #endif
    }

    private init?(unix bytes: [UInt8]) {
        var address = sockaddr_un()
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &storage) { storage in
            withUnsafeBytes(of: address) { storage.copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: storage[Self.unixPathOffset...]).copyBytes(from: bytes)
        }
        length = socklen_t(Self.unixPathOffset + bytes.count)
    }

    /// The address whose 4 or 16 bytes these are; nil for any other count.
    init?(ip bytes: [UInt8], port: Int = 0) {
        let text: String
        switch bytes.count {
        case 4: text = bytes.map(String.init).joined(separator: ".")
        case 16:
            text = stride(from: 0, to: 16, by: 2).map { index in
                String(Int(bytes[index]) << 8 | Int(bytes[index + 1]), radix: 16)
            }.joined(separator: ":")
        default: return nil
        }
        self.init(host: text, port: port)
    }

    private static let unixPathOffset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2

    private static func length(_ family: Int32) -> socklen_t? {
        switch family {
        case AF_INET: socklen_t(MemoryLayout<sockaddr_in>.size)
        case AF_INET6: socklen_t(MemoryLayout<sockaddr_in6>.size)
        default: nil
        }
    }

    /// The family: `AF_INET`, `AF_INET6` or `AF_UNIX`.
    var family: Int32 { Int32(storage.ss_family) }

    func withAddress<R>(_ body: (UnsafePointer<sockaddr>) -> R) -> R {
        withAddress { address, _ in body(address) }
    }

    func withAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafeBytes(of: storage) { bytes in
            // The storage begins with the fields of sockaddr; `bytes` is never empty.
            bytes.withMemoryRebound(to: sockaddr.self) { addresses in
                addresses.baseAddress.map { body($0, length) }
                    ?? withUnsafePointer(to: sockaddr()) { body($0, length) }
            }
        }
    }

    /// The same address, at the port of another one if its own is 0.
    func with(portOf other: Endpoint.Address?) -> SocketAddress {
        guard case .host(_, let port) = other, case .host(_, 0) = address else { return self }
        var copy = self
        withUnsafeMutableBytes(of: &copy.storage) { storage in
            // Both families keep the port behind the family, big-endian.
            storage.storeBytes(of: UInt16(truncatingIfNeeded: port).bigEndian, toByteOffset: 2, as: UInt16.self)
        }
        return copy
    }

    /// The host alone, as an endpoint spells it.
    var host: String {
        guard case .host(let host, _) = address else { return "" }
        return host
    }

    /// The address as an endpoint spells it; IPv4 behind an IPv6 socket as what it is.
    var address: Endpoint.Address {
        if family == AF_UNIX { return unixAddress }
        var name = [CChar](repeating: 0, count: 64)
        let port = withAddress { address -> UInt16 in
            uv_ip_name(address, &name, name.count)
            // Both families keep the port behind the family, big-endian.
            return UnsafeRawPointer(address).loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian
        }
        let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let isMapped = text.hasPrefix(Self.mappedPrefix) && text.contains(".")
        return .host(isMapped ? String(text.dropFirst(Self.mappedPrefix.count)) : text, port: Int(port))
    }

    /// The network that one client has to itself: the address, or of IPv6 its first 64 bits.
    var network: String {
        guard family == AF_INET6 else { return host }
        let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8
        return withUnsafeBytes(of: storage) { bytes in
            bytes[offset..<offset + 8].map { String($0, radix: 16) }.joined(separator: ":")
        }
    }

    // RFC 4291, section 2.5.5.2.
    private static let mappedPrefix = "::ffff:"

    private var unixAddress: Endpoint.Address {
        withUnsafeBytes(of: storage) { bytes in
            let name = bytes[..<Int(length)].dropFirst(Self.unixPathOffset)
            guard name.first == 0 else { return .unix(path: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)) }
            return .unixAbstract(name: String(decoding: name.dropFirst(), as: UTF8.self))
        }
    }
}
