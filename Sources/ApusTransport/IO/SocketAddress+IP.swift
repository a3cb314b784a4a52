// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// What is inside of an IP address.
extension SocketAddress {
    var isIPv6: Bool { withAddress { Int32($0.pointee.sa_family) == AF_INET6 } }

    /// The address' 4 or 16 bytes.
    var bytes: [UInt8] {
        let isIPv6 = isIPv6
        return withAddress { address in
            // The family says which structure this is.
            let start = UnsafeRawPointer(address).advanced(by: isIPv6 ? Self.offset6 : Self.offset4)
            return Array(UnsafeRawBufferPointer(start: start, count: isIPv6 ? 16 : 4))
        }
    }

    /// Host and port, with the network interface behind an address that is valid only there: `fe80::1%eth0`.
    var scopedAddress: Endpoint.Address {
        guard isIPv6, case .host(let host, let port) = address else { return address }
        let scope = withAddress { address in
            // The family says that this is a sockaddr_in6.
            UnsafeRawPointer(address).loadUnaligned(fromByteOffset: Self.scopeOffset, as: UInt32.self)
        }
        guard scope != 0, let name = Self.interface(scope) else { return address }
        return .host("\(host)%\(name)", port: port)
    }

    private static func interface(_ scope: UInt32) -> String? {
        var name = [CChar](repeating: 0, count: Int(UV_IF_NAMESIZE))
        var size = name.count
        guard uv_if_indextoname(scope, &name, &size) == 0 else { return nil }
        return String(decoding: name.prefix(size).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static let offset4 = MemoryLayout<sockaddr_in>.offset(of: \.sin_addr) ?? 4
    private static let offset6 = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8
    private static let scopeOffset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_scope_id) ?? 24
}
