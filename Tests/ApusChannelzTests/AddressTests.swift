// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusChannelz

struct AddressTests {
    @Test func `addresses are told in the protocol's forms`() {
        let six = [UInt8](repeating: 0, count: 15) + [1]
        let forms: [(Endpoint.Address, GRPCAddress.Address)] = [
            (.host("10.0.0.7", port: 443), .tcpipAddress(.init(ipAddress: [10, 0, 0, 7], port: 443))),
            (.host("::1", port: 1), .tcpipAddress(.init(ipAddress: six, port: 1))),
            (.host("users.example", port: 1), .otherAddress(.init(name: "users.example:1"))),
            (.unix(path: "/run/x"), .udsAddress(.init(filename: "/run/x"))),
            (.memory("x"), .otherAddress(.init(name: "memory:x"))),
        ]
        for (address, form) in forms { #expect(GRPCAddress(address).address == form) }
    }
}
