// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// A numeric socket address in C's form.
struct SocketAddress {
    private var storage = sockaddr_storage()

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
    }

    /// A copy of what C holds; nil for a family that is not IP.
    init?(_ address: UnsafePointer<sockaddr>?) {
        guard let address else { return nil }
        let size: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: size = MemoryLayout<sockaddr_in>.size
        case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: size))
        }
    }

    /// The address whose 4 or 16 bytes these are; nil for any other count. Its port is 0.
    init?(ip bytes: [UInt8]) {
        let text: String
        switch bytes.count {
        case 4: text = bytes.map(String.init).joined(separator: ".")
        case 16:
            text = stride(from: 0, to: 16, by: 2).map { index in
                String(Int(bytes[index]) << 8 | Int(bytes[index + 1]), radix: 16)
            }.joined(separator: ":")
        default: return nil
        }
        self.init(host: text, port: 0)
    }

    func withAddress<R>(_ body: (UnsafePointer<sockaddr>) -> R) -> R {
        withUnsafeBytes(of: storage) { bytes in
            // The storage begins with the fields of sockaddr; `bytes` is never empty.
            bytes.withMemoryRebound(to: sockaddr.self) { addresses in
                addresses.baseAddress.map(body) ?? withUnsafePointer(to: sockaddr(), body)
            }
        }
    }

    /// The host alone, as an endpoint spells it.
    var host: String {
        guard case .host(let host, _) = address else { return "" }
        return host
    }

    /// Host and port as an endpoint spells them.
    var address: Endpoint.Address {
        var name = [CChar](repeating: 0, count: 64)
        let port = withAddress { address -> UInt16 in
            uv_ip_name(address, &name, name.count)
            // Both families keep the port behind the family, big-endian.
            return UnsafeRawPointer(address).loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian
        }
        let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return .host(text, port: Int(port))
    }
}
