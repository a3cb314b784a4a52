// SPDX-License-Identifier: Apache-2.0

import ApusAdmin
import Testing

@Suite struct AdminAccessTests {
    private let access = AdminAccess(token: "0123456789abcdef", hosts: ["Admin.Example"])

    @Test(arguments: [
        "localhost", "LOCALHOST:9900", "127.0.0.1", "127.0.0.1:9900", "10.1.2.3:1", "[::1]", "[::1]:9900",
        "[fe80::1]:80", "admin.example", "ADMIN.example:9900",
    ])
    func `addresses, localhost and the names that were told are known`(_ host: String) {
        #expect(access.isKnown(host: host))
    }

    @Test(arguments: [
        "evil.example", "evil.example:9900", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "localhost.evil", "",
        "1.2.3", "1.2.3.256", "1.2.3.4.5", "[evil]", "[::1", "[::1]evil", "[::1]:x", "[]", "localhost:", "localhost:x",
        "localhost:99999", "localhost ", ":80", "[abc]",
    ])
    func `a stranger's name is not`(_ host: String) {
        #expect(!access.isKnown(host: host))
    }

    @Test func `a request without a host is not known`() {
        #expect(!access.isKnown(host: nil))
    }

    @Test(arguments: ["Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER   0123456789abcdef"])
    func `the token opens the page`(_ field: String) {
        #expect(access.isAuthorized(field))
    }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "Basic 0123456789abcdef", "0123456789abcdef", "Bearer 0123456789abcdeF",
        "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer 0123456789abcdef0123456789abcdef",
    ])
    func `nothing else does`(_ field: String) {
        #expect(!access.isAuthorized(field))
    }

    @Test func `no field opens nothing, unless no token is asked for`() {
        #expect(!access.isAuthorized(nil))
        #expect(access.asksForToken)
        let open = AdminAccess(token: nil, hosts: [])
        #expect(open.isAuthorized(nil))
        #expect(!open.asksForToken)
    }
}
