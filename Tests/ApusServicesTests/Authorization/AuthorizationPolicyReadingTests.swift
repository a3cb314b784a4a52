// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusServices
import Testing

struct AuthorizationPolicyReadingTests {
    private let whole = #"""
        {
          "name": "users",
          "deny_rules": [{"name": "no deletes", "request": {"paths": ["*/Delete"]}}],
          "allow_rules": [
            {"name": "shop", "source": {"principals": ["spiffe://example.org/*", "ada"]}},
            {"name": "test", "source": {},
             "request": {"paths": ["/a.A/*"], "headers": [{"key": "X-Stage", "values": ["test", "dev*"]}]}}
          ],
          "audit_logging_options": {"audit_condition": "ON_DENY", "audit_loggers": [{"name": "x", "is_optional": true}]}
        }
        """#

    private func read(_ text: String) throws(RPCError) -> AuthorizationPolicy {
        try AuthorizationPolicy(reading: Array(text.utf8), name: "policy.json")
    }

    @Test func `a document is the policy that it says`() throws {
        let expected = AuthorizationPolicy(
            "users", deny: [.init("no deletes", paths: ["*/Delete"])],
            allow: [
                .init("shop", principals: ["spiffe://example.org/*", "ada"]),
                .init("test", paths: ["/a.A/*"], headers: [.init("x-stage", values: ["test", "dev*"])]),
            ], auditing: .denials)
        #expect(try read(whole) == expected)
    }

    @Test(arguments: [
        (#"{"name": "p"}"#, "the document has no 'allow_rules'"),
        (#"{"name": "p", "allow_rules": []}"#, "allow_rules is empty"),
        (#"{"name": "", "allow_rules": [{"name": "r"}]}"#, "name is empty"),
        (#"{"allow_rules": [{"name": "r"}]}"#, "has no 'name'"),
        (#"{"name": "p", "allow_rules": [{"name": "r", "sources": {}}]}"#, "allow_rules[0].sources is not known"),
        (#"{"name": "p", "allow_rules": [{"name": "r", "request": {"path": []}}]}"#, "request.path is not known"),
        (#"{"name": "p", "allow_rules": [{"request": {}}]}"#, "has no 'name'"),
        (#"{"name": "p", "allow_rules": [{"name": "r", "request": {"headers": [{"key": "a"}]}}]}"#, "no 'values'"),
        (
            #"{"name": "p", "allow_rules": [{"name": "r", "request": {"headers": [{"key": "a", "values": []}]}}]}"#,
            "is empty"
        ),
        (
            #"{"name": "p", "allow_rules": [{"name": "r", "request": {"headers": [{"key": ":path", "values": ["a"]}]}}]}"#,
            "cannot be about"
        ),
        (
            #"{"name": "p", "allow_rules": [{"name": "r", "request": {"headers": [{"key": "Host", "values": ["a"]}]}}]}"#,
            "cannot be about"
        ),
        (
            #"{"name": "p", "allow_rules": [{"name": "r", "request": {"headers": [{"key": "grpc-timeout", "values": ["a"]}]}}]}"#,
            "cannot be about"
        ),
        (
            #"{"name": "p", "allow_rules": [{"name": "r"}], "audit_logging_options": {"audit_condition": "SOME"}}"#,
            "is none of NONE"
        ),
        (
            #"{"name": "p", "allow_rules": [{"name": "r"}], "audit_logging_options": {"audit_loggers": [{"name": "x"}]}}"#,
            "audit logger"
        ),
        (#"{"name": "p", "allow_rules": 7}"#, "is no array"),
        (#"[]"#, "is no object"),
    ])
    func `what is not understood is refused, with what and where`(text: String, problem: String) {
        let error = #expect(throws: RPCError.self) { try read(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix("policy.json:1:") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
    }

    @Test func `every prefix of a document is refused, and damaged ones trap nothing`() throws {
        let bytes = Array(whole.utf8)
        for length in 0..<bytes.count {
            #expect(throws: RPCError.self) { try AuthorizationPolicy(reading: Array(bytes.prefix(length))) }
        }
        let random = SplitMixRandom(seed: 5)
        var read = 0
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0...random.index(below: 3) {
                damaged[random.index(below: damaged.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            if (try? AuthorizationPolicy(reading: damaged)) != nil { read += 1 }
        }
        #expect(read > 0)
    }
}
