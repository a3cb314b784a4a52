// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

struct EndpointTests {
    @Test(arguments: [
        (Endpoint.Address.host("127.0.0.1", port: 50051), "127.0.0.1:50051"), (.host("::1", port: 1), "[::1]:1"),
        (.host("users.local", port: 0), "users.local:0"), (.host("fe80::1%eth0", port: 65535), "[fe80::1%eth0]:65535"),
        (.unix(path: "/run/a b:1"), "unix:/run/a b:1"), (.unix(path: "x.sock"), "unix:x.sock"),
        (.unixAbstract(name: "users/1"), "unix-abstract:users/1"), (.memory("users"), "memory:users"),
        (.memory(""), "memory:"),
    ])
    func `an address is read as it is written`(address: Endpoint.Address, text: String) {
        #expect(address.description == text)
        #expect(Endpoint.Address(text) == address)
    }

    @Test(arguments: [
        "", ":", "host", "host:", ":80", "host:x", "host:-1", "host:65536", "host:99999999999999999999", "::1:80",
        "[::1]", "[::1]80", "[::1:80", "::1]:80", "[]:80", "host:+80", "host:080", "[host]:80", "host: 80", "unix:",
        "a:b:80", "unix-abstract:", "unix://", "unix://host/path",
    ])
    func `anything else is no address`(text: String) {
        #expect(Endpoint.Address(text) == nil)
    }

    @Test func `a path behind three slashes is the same socket`() {
        #expect(Endpoint.Address("unix:///run/x.sock") == .unix(path: "/run/x.sock"))
    }

    @Test func `random text never traps, and what is read is written back the same`() {
        let random = SplitMixRandom(seed: 12)
        let scalars: [Unicode.Scalar] = ["[", "]", ":", "1", "0", "a", "+", "-", "u", "n", "i", "x", "é", " "]
        for _ in 0..<50_000 {
            var text = ""
            for _ in 0..<random.index(below: 10) { text.unicodeScalars.append(scalars[random.index(below: 14)]) }
            if let address = Endpoint.Address(text) { #expect(address.description == text) }
        }
    }
}
