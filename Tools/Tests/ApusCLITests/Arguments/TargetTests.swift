// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusCLI

struct TargetTests {
    @Test(arguments: [
        ("localhost:50051", "localhost:50051"), (":50051", "localhost:50051"), ("[::1]:80", "[::1]:80"),
        ("unix:/run/x.sock", "localhost"), ("unix:///run/x.sock", "localhost"),
        ("unix-abstract:x", "localhost"), ("dns:///users.example:80", "users.example:80"),
    ])
    func `an address names its channel, and what calls say of their server`(text: String, name: String) throws {
        #expect(try Target(text).name == name)
    }

    @Test(arguments: ["", "localhost", "http://localhost:80", "localhost:99999", "memory:x", "::1:80"])
    func `what is no address is a mistake that shows how one looks`(text: String) {
        #expect(throws: Mistake.self) { try Target(text) }
    }

    @Test func `behind a name in DNS the server must prove that name, not an address`() throws {
        #expect(try Target("dns:///users.example:80").serverName == "users.example")
        #expect(try Target("dns:///users.example").serverName == "users.example")
        #expect(try Target("users.example:80").serverName == nil)
    }

    @Test func `bare calls have no retry, and stacked ones no time of their own`() throws {
        let target = try Target(":1")
        #expect(!target.bare.contains { $0 is any RetryingInterceptor })
        #expect(target.stacked.contains { $0 is any RetryingInterceptor })
        #expect(target.stacked.count > target.bare.count)
    }
}
