// SPDX-License-Identifier: Apache-2.0

/// The order in which the addresses of one name are tried. Source: RFC 8305, section 4.
enum AddressOrder {
    /// More addresses of a name are never tried.
    static let maximum = 16

    /// Takes the families in turn, beginning with that of the first address; each keeps its own order, which is the
    /// system's (RFC 6724). So a family that leads nowhere costs one delay, not one for each of its addresses.
    static func interleaved<Address>(_ addresses: [Address], isIPv6: (Address) -> Bool) -> [Address] {
        guard let first = addresses.first.map(isIPv6) else { return [] }
        let preferred = addresses.filter { isIPv6($0) == first }
        let others = addresses.filter { isIPv6($0) != first }
        var order: [Address] = []
        for index in 0..<max(preferred.count, others.count) {
            if index < preferred.count { order.append(preferred[index]) }
            if index < others.count { order.append(others[index]) }
        }
        return Array(order.prefix(maximum))
    }
}
