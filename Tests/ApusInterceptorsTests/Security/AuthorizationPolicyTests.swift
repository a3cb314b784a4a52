// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusInterceptors

struct AuthorizationPolicyTests {
    private func call(
        _ path: String = "/users.Users/Login", _ metadata: Metadata = Metadata(), identity: PeerIdentity? = nil
    ) -> ServerCallHead {
        let parts = path.split(separator: "/").map(String.init)
        return ServerCallHead(
            method: MethodDescriptor(service: parts[0], name: parts[1], kind: .unary), metadata: metadata,
            peer: .memory("client"), peerIdentity: identity)
    }

    private func decide(
        _ policy: AuthorizationPolicy, _ call: ServerCallHead, _ name: String? = nil
    ) -> AuthorizationPolicy.Decision {
        policy.decide(call, principal: name.map { Principal(name: $0) })
    }

    @Test(arguments: [
        ("abc", ["abc"], ["", "ab", "abcd", "ABC"]),
        ("abc*", ["abc", "abcd"], ["ab", "xabc", ""]),
        ("*abc", ["abc", "xabc"], ["abcd", "bc", ""]),
        ("*", ["a", "*"], [""]),
        ("a*c", ["a*c"], ["abc", "ac"]),
        ("", [""], ["a"]),
    ])
    func `a pattern is exact, a beginning, an end, or anything at all`(
        pattern: String, matching: [String], other: [String]
    ) {
        #expect(matching.allSatisfy { StringMatch(pattern).matches($0) })
        #expect(!other.contains { StringMatch(pattern).matches($0) })
        #expect(StringMatch(pattern).description == pattern)
    }

    @Test func `over ten thousand random texts a pattern matches what a look letter by letter finds`() {
        let random = SplitMixRandom(seed: 41)
        func text() -> [Character] {
            (0..<random.index(below: 5)).map { _ in ["a", "b", "*"][random.index(below: 3)] }
        }
        var matches = 0
        for _ in 0..<10_000 {
            let (pattern, text) = (text(), text())
            let rest = pattern.last == "*" ? Array(pattern.dropLast()) : Array(pattern.dropFirst())
            let expected =
                if pattern == ["*"] { !text.isEmpty } else if pattern.last == "*" {
                    Array(text.prefix(rest.count)) == rest
                } else if pattern.first == "*" { Array(text.suffix(rest.count)) == rest } else { text == pattern }
            #expect(StringMatch(String(pattern)).matches(String(text)) == expected)
            if expected { matches += 1 }
        }
        #expect(matches > 500)
    }

    @Test func `two spellings of a letter are two texts`() {
        #expect(!StringMatch("caf\u{E9}").matches("cafe\u{301}"))
        #expect(!StringMatch("caf\u{E9}*").matches("cafe\u{301}x"))
    }

    @Test func `a call that no rule is for is denied`() {
        let policy = AuthorizationPolicy("p", allow: [.init("login", paths: ["/users.Users/Login"])])
        #expect(decide(policy, call()) == .allowed(rule: "login"))
        #expect(decide(policy, call("/users.Users/Delete")) == .denied(rule: nil))
        #expect(decide(AuthorizationPolicy("p", allow: []), call()) == .denied(rule: nil))
    }

    @Test func `what is denied is denied, whatever allows it`() {
        let policy = AuthorizationPolicy(
            "p", deny: [.init("no deletes", paths: ["*/Delete"])], allow: [.init("all")])
        #expect(decide(policy, call("/users.Users/Delete")) == .denied(rule: "no deletes"))
        #expect(decide(policy, call()) == .allowed(rule: "all"))
    }

    @Test func `a rule is for a call when all that it names holds`() {
        let rule = AuthorizationPolicy.Rule(
            "r", principals: ["ada", "eve*"], paths: ["/users.Users/*"],
            headers: [.init("X-Stage", values: ["test", "dev*"]), .init("x-team", values: ["*"])])
        let policy = AuthorizationPolicy("p", allow: [rule])
        let good: Metadata = ["x-stage": "dev-3", "x-team": "a"]
        #expect(decide(policy, call("/users.Users/Login", good), "eve2") == .allowed(rule: "r"))
        #expect(decide(policy, call("/users.Users/Login", good), "bob") == .denied(rule: nil))
        #expect(decide(policy, call("/users.Users/Login", good)) == .denied(rule: nil))
        #expect(decide(policy, call("/orders.Orders/Get", good), "ada") == .denied(rule: nil))
        #expect(decide(policy, call("/users.Users/Login", ["x-stage": "test"]), "ada") == .denied(rule: nil))
        let wrong: Metadata = ["x-stage": "prod", "x-team": "a"]
        #expect(decide(policy, call("/users.Users/Login", wrong), "ada") == .denied(rule: nil))
    }

    @Test func `several values of a key are one, with commas`() {
        let policy = AuthorizationPolicy("p", allow: [.init("r", headers: [.init("k", values: ["a,b"])])])
        #expect(decide(policy, call("/s.S/M", ["k": "a", "k": "b"])).isAllowed)
        #expect(!decide(policy, call("/s.S/M", ["k": "a"])).isAllowed)
    }

    @Test func `a certificate's names are the caller's`() {
        var names = PeerIdentity.Names()
        names.uri = ["spiffe://example.org/orders"]
        names.dns = ["orders.example.org"]
        let identity = PeerIdentity(subject: "CN=orders", names: names)
        for pattern in ["spiffe://example.org/*", "*.example.org", "CN=orders"] as [StringMatch] {
            let policy = AuthorizationPolicy("p", allow: [.init("r", principals: [pattern])])
            #expect(decide(policy, call(identity: identity)).isAllowed)
            #expect(!decide(policy, call()).isAllowed)
        }
        let anybody = AuthorizationPolicy("p", allow: [.init("r", principals: ["*"])])
        #expect(decide(anybody, call(identity: identity)).isAllowed && !decide(anybody, call()).isAllowed)
        let nobody = AuthorizationPolicy("p", allow: [.init("r", principals: [])])
        #expect(!decide(nobody, call(identity: identity)).isAllowed)
    }

    @Test func `over ten thousand random calls it agrees with its rules read one by one`() {
        let random = SplitMixRandom(seed: 3)
        let people = ["ada", "bob", "eve", "mallory"]
        let paths = ["/a.A/X", "/a.A/Y", "/b.B/X"]
        let policy = AuthorizationPolicy(
            "p", deny: [.init("mallory", principals: ["mallory"]), .init("y", principals: ["bob"], paths: ["*/Y"])],
            allow: [.init("a", principals: ["*"], paths: ["/a.A/*"]), .init("b", principals: ["ada"])])
        for _ in 0..<10_000 {
            let person = people[random.index(below: people.count)]
            let path = paths[random.index(below: paths.count)]
            let expected: AuthorizationPolicy.Decision =
                if person == "mallory" { .denied(rule: "mallory") } else if person == "bob", path.hasSuffix("/Y") {
                    .denied(rule: "y")
                } else if path.hasPrefix("/a.A/") { .allowed(rule: "a") } else if person == "ada" {
                    .allowed(rule: "b")
                } else { .denied(rule: nil) }
            #expect(decide(policy, call(path), person) == expected)
        }
    }
}
