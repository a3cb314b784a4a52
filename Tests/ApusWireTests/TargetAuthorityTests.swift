// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Testing

struct TargetAuthorityTests {
    @Test(arguments: [
        ("users", "users"), ("users.example:50051", "users.example:50051"), ("[::1]:50051", "[::1]:50051"),
        ("127.0.0.1:50051", "127.0.0.1:50051"), ("", ""),
    ])
    func `a name is an authority as it is`(_ target: String, _ authority: String) {
        #expect(TargetAuthority.name(of: target) == authority)
    }

    @Test(arguments: [
        ("dns:///users.example", "users.example"), ("dns:///users.example:50051", "users.example:50051"),
        ("dns://8.8.8.8/users.example:50051", "users.example:50051"), ("dns:users.example", "users.example"),
        ("etcd:///users", "users"), ("dns://users.example", "users.example"),
    ])
    func `a scheme and its own authority are left out`(_ target: String, _ authority: String) {
        #expect(TargetAuthority.name(of: target) == authority)
    }

    @Test(arguments: [
        "unix:/run/users.sock", "unix:///run/users.sock", "unix-abstract:users", "/run/users.sock", "x:///", "x:///a/b",
    ])
    func `a socket's path is on this machine`(_ target: String) {
        #expect(TargetAuthority.name(of: target) == "localhost")
    }
}
