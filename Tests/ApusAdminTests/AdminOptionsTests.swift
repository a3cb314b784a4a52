// SPDX-License-Identifier: Apache-2.0

@testable import ApusAdmin
import Testing

@Suite struct AdminOptionsTests {
    private func problem(_ change: (inout AdminOptions) -> Void) -> String? {
        var options = AdminOptions()
        change(&options)
        return options.problem
    }

    @Test(arguments: ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
    func `a loopback address needs no token`(_ host: String) {
        #expect(problem { $0.host = host } == nil)
    }

    @Test(arguments: ["0.0.0.0", "::", "10.0.0.1", "127.example.org", "127.0.0.1.example.org", "127.0.0.256", ""])
    func `any other one does`(_ host: String) {
        #expect(problem { $0.host = host }?.contains("token") == true)
        #expect(
            problem {
                $0.host = host
                $0.token = "0123456789abcdef"
            } == nil)
    }

    @Test(arguments: ["", "0123456789abcde", "0123456789 abcdef", "0123456789\nabcdef", "ßßßßßßßßßßßßßßßß"])
    func `a token that is short or no text is refused`(_ token: String) {
        #expect(problem { $0.token = token } != nil)
    }

    @Test func `a port is one of TCP's`() {
        #expect(problem { $0.port = 65536 } != nil)
        #expect(problem { $0.port = -1 } != nil)
        #expect(problem { $0.port = 0 } == nil)
    }

    @Test(arguments: [Duration.zero, .milliseconds(-1), .seconds(6)])
    func `news come each millisecond to each five seconds`(_ interval: Duration) {
        #expect(problem { $0.interval = interval }?.contains("news") == true)
        #expect(problem { $0.interval = .seconds(5) } == nil)
    }

    @Test func `nobody is given no time at all`() {
        #expect(problem { $0.patience = .zero }?.contains("patience") == true)
    }
}
