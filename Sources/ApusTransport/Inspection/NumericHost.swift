// SPDX-License-Identifier: Apache-2.0

import CLibuv

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An IP address in digits.
package enum NumericHost {
    /// The 4 or 16 bytes of an address, in network order; nil for a name.
    package static func bytes(of host: String) -> [UInt8]? { bytes(host, AF_INET, 4) ?? bytes(host, AF_INET6, 16) }

    private static func bytes(_ host: String, _ family: Int32, _ size: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: size)
        return bytes.withUnsafeMutableBytes { uv_inet_pton(family, host, $0.baseAddress) } == 0 ? bytes : nil
    }
}
