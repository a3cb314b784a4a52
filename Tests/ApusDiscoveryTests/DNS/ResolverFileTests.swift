// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusDiscovery

struct ResolverFileTests {
    @Test func `servers, time and attempts are read`() {
        let file = ResolverFile(
            reading: """
                # nameserver 9.9.9.9
                search example.com
                nameserver 10.0.0.1
                nameserver\tfe80::1%eth0
                options ndots:5 timeout:1 attempts:3 rotate
                """)
        #expect(file.servers == ["10.0.0.1", "fe80::1%eth0"])
        #expect(file.timeout == 1 && file.attempts == 3)
    }

    @Test func `an empty file means this machine, and nothing is without bounds`() {
        #expect(ResolverFile(reading: "").servers == ["127.0.0.1"])
        let many = ResolverFile(
            reading: String(repeating: "nameserver 1.1.1.1\n", count: 9) + "options timeout:99 attempts:0\nnameserver")
        #expect(many.servers.count == 3)
        #expect(many.timeout == 5 && many.attempts == 1)
    }
}
