// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusTransport

/// Which connections go through a proxy.
@Suite struct ProxyChoiceTests {
    private func proxy(
        _ variables: [String: String], for host: String = "db.example.com", port: Int = 443
    ) throws -> String {
        try ProxyChoice(.environment) { variables[$0] }?.proxy(for: host, port: port)?.description ?? "direct"
    }

    @Test func `the environment's variables have an order`() throws {
        var variables: [String: String] = ["HTTP_PROXY": "http://e:5", "all_proxy": "http://f:6"]
        #expect(try proxy(variables) == "direct")
        for (name, value) in [
            ("http_proxy", "d:4"), ("HTTPS_PROXY", "c:3"), ("https_proxy", "b:2"), ("grpc_proxy", "a:1"),
        ] {
            variables[name] = "http://\(value)"
            #expect(try proxy(variables) == "http://\(value)")
        }
        variables["grpc_proxy"] = ""
        #expect(try proxy(variables) == "http://b:2")
        variables["NO_PROXY"] = "*"
        #expect(try proxy(variables) == "direct")
        variables["no_proxy"] = "other"
        #expect(try proxy(variables) == "http://b:2")
        variables["no_grpc_proxy"] = "*"
        #expect(try proxy(variables) == "direct")
    }

    @Test(arguments: [
        ("example.com", "example.com", true), ("example.com", "db.example.com", true),
        ("example.com", "notexample.com", false), (".example.com", "db.example.com", true),
        (".example.com", "example.com", false), ("*.example.com", "db.example.com", true),
        ("EXAMPLE.com", "Example.COM.", true), (" a , example.com ", "example.com", true),
        ("example.com:443", "example.com", true), ("example.com:80", "example.com", false),
        ("10.1.2.3", "10.1.2.3", true), ("10.1.2.3", "10.1.2.4", false), ("10.0.0.0/8", "10.9.9.9", true),
        ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/9", "10.128.0.0", false), ("0.0.0.0/0", "9.9.9.9", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("0.0.0.0/0", "example.com", false), ("10.0.0.0/33", "10.0.0.1", false),
        ("2001:db8::/32", "2001:db8:1::1", true), ("2001:db8::/32", "2001:db9::1", false),
        ("2001:db8::1", "2001:DB8:0::1", true), ("[2001:db8::1]:443", "2001:db8::1", true),
        ("[2001:db8::1]", "2001:db8::1", true), ("[2001:db8::1]:80", "2001:db8::1", false),
        ("com", "example.com", true),
        (",,", "example.com", false), (".", "example.com", false), ("*", "example.com", true),
        ("", "localhost", true), ("", "127.8.9.1", true), ("", "::1", true), ("", "::2", false),
        ("", "localhost.example.com", false), ("1.2.3.4", "1.2.3.4.example.com", false),
        ("3.4", "1.2.3.4", false),
    ])
    func `hosts that the list names are reached directly`(_ list: String, _ host: String, _ direct: Bool) throws {
        let answer = try proxy(["https_proxy": "http://p:1", "no_proxy": list], for: host)
        #expect(answer == (direct ? "direct" : "http://p:1"))
    }

    @Test(arguments: [
        ("http://proxy:3128", "proxy", 3128, nil), ("proxy:3128", "proxy", 3128, nil),
        ("http://proxy", "proxy", 80, nil),
        ("HTTP://proxy/", "proxy", 80, nil), ("http://[::1]:8080", "::1", 8080, nil), ("http://[::1]", "::1", 80, nil),
        ("http://me:secret@proxy:1", "proxy", 1, "me:secret"), ("http://me@proxy:1", "proxy", 1, "me:"),
        ("http://a%40b:c%3Ad@proxy:1", "proxy", 1, "a@b:c:d"), ("http://a:b@c@proxy:1", "proxy", 1, "a:b@c"),
    ])
    func `a proxy's spelling is read`(_ url: String, _ host: String, _ port: Int, _ credentials: String?) throws {
        #expect(try HTTPProxy(url) == HTTPProxy(host: host, port: port, credentials: credentials))
    }

    @Test(arguments: [
        "", "http://", "https://proxy:1", "socks5://proxy:1", "http://proxy:0", "http://proxy:99999", "http://proxy:x",
        "http://pro xy:1", "http://proxy:1/path", "http://proxy:1?x", "http://a%0d%0ab@proxy:1", "http://a%zz@proxy:1",
        "http://a%4@proxy:1", "http://::1:80",
    ])
    func `what is no proxy's spelling is refused, without its text`(_ url: String) {
        let error = #expect(throws: RPCError.self) { try HTTPProxy(url) }
        #expect(error?.code == .invalidArgument)
        if url.count > 7 { #expect(error?.message.contains(url) == false) }
    }

    @Test func `an environment that cannot be used fails only those who need the proxy`() throws {
        let variables = ["https_proxy": "socks5://me:secret@proxy"]
        #expect(try proxy(variables, for: "localhost") == "direct")
        let error = #expect(throws: RPCError.self) { try proxy(variables) }
        #expect(error?.message.hasPrefix("the environment variable https_proxy cannot be used: ") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func `a channel may ignore the environment, or send everything through a proxy`() throws {
        #expect(ProxyChoice(.direct) { _ in "http://p:1" } == nil)
        let proxy = HTTPProxy(host: "p", port: 1, credentials: "me:secret")
        let choice = ProxyChoice(.through(proxy)) { _ in nil }
        #expect(try choice?.proxy(for: "localhost", port: 1) == proxy)
        #expect("\(proxy)" == "http://p:1")
    }
}
