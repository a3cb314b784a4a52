// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import Testing

@testable import ApusServices

struct ServiceConfigReadingTests {
    private func read(_ text: String) throws(RPCError) -> ServiceConfig {
        try ServiceConfig(reading: Array(text.utf8), name: "doc")
    }

    private func method(_ members: String) throws -> ServiceConfig.MethodConfig {
        try #require(try read(#"{"methodConfig": [{"name": [{}], \#(members)}]}"#).methods.first)
    }

    static let whole = #"""
        {
          "methodConfig": [
            {"name": [{"service": "a.B", "method": "C"}, {"service": "a.D"}], "timeout": "1.5s", "waitForReady": true,
             "maxRequestMessageBytes": 100, "maxResponseMessageBytes": "200", "retryPolicy": {
               "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
               "retryableStatusCodes": ["UNAVAILABLE", "aborted", 8]},
             "apus": {"perTryTimeout": "0.25s", "totalTime": "1s"}},
            {"name": [{}], "hedgingPolicy": {"maxAttempts": 3, "hedgingDelay": "0.02s",
               "nonFatalStatusCodes": [14]}}
          ],
          "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.5},
          "loadBalancingConfig": [{"grpclb": {}}, {"random": {}}],
          "healthCheckConfig": {"serviceName": "users"}
        }
        """#

    @Test func `every field that the config has is read`() throws {
        let config = try read(Self.whole)
        try #require(config.methods.count == 2)
        let (first, second) = (config.methods[0], config.methods[1])
        #expect(first.names == [.method(service: "a.B", name: "C"), .service("a.D")])
        #expect(first.timeout == .milliseconds(1500))
        #expect(first.waitForReady == true)
        #expect(first.maximumRequestBytes == 100)
        #expect(first.maximumResponseBytes == 200)
        #expect(
            first.tries
                == .retry(
                    maximumAttempts: 4, initialBackoff: .milliseconds(100), maximumBackoff: .seconds(1), multiplier: 2,
                    codes: [.unavailable, .aborted, .resourceExhausted]))
        #expect(first.tryTimeout == .milliseconds(250))
        #expect(first.totalTime == .seconds(1))
        #expect(second.names == [.all])
        #expect(second.tries == .hedge(maximumAttempts: 3, delay: .milliseconds(20), nonFatal: [.unavailable]))
        #expect(config.throttling == .init(maximumTokens: 10, tokenRatio: 0.5))
        #expect(config.balancerName == "random")
        #expect(config.healthCheckService == "users")
    }

    @Test func `an empty object asks for nothing, and unknown fields and nulls are ignored`() throws {
        #expect(try read("{}") == ServiceConfig())
        #expect(try read(#"{"fromTheFuture": [1], "methodConfig": null, "retryThrottling": null}"#) == ServiceConfig())
        #expect(try method(#""new": 1, "timeout": null"#) == .init(names: [.all]))
    }

    @Test func `more than five attempts count as five`() throws {
        let retry = try method(
            #""retryPolicy": {"maxAttempts": 9, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1, "#
                + #""retryableStatusCodes": [14]}"#)
        guard case .retry(let attempts, _, _, _, _) = retry.tries else {
            Issue.record("no retry policy was read")
            return
        }
        #expect(attempts == 5)
        let hedge = try method(#""hedgingPolicy": {"maxAttempts": 6}"#)
        #expect(hedge.tries == .hedge(maximumAttempts: 5, delay: .zero, nonFatal: []))
    }

    @Test(arguments: [
        ("0s", Duration.zero), ("1s", .seconds(1)), ("1.5s", .milliseconds(1500)), ("0.000000001s", .nanoseconds(1)),
        ("-2.25s", .milliseconds(-2250)), ("315576000000s", .seconds(315_576_000_000)),
    ])
    func `durations are read as proto3's JSON writes them`(text: String, duration: Duration) {
        #expect(ProtoDuration.read(text) == duration)
    }

    @Test(arguments: [
        "", "s", "1", "1ms", ".5s", "1.s", "1.0000000001s", "--1s", "+1s", "1e3s", " 1s", "315576000001s", "1,5s",
        "99999999999999999999s", "-s", "١s",
    ])
    func `what is no duration is refused`(text: String) {
        #expect(ProtoDuration.read(text) == nil)
    }

    @Test(arguments: [
        (#"{"methodConfig": [{"name": [{}, {}]}]}"#, "doc:1:33: methodConfig[0].name[1] occurs twice"),
        (
            #"{"methodConfig": [{"name": [{"service": "a"}]}, {"name": [{"service": "a"}]}]}"#,
            "methodConfig[1].name[0] occurs twice"
        ),
        (#"{"methodConfig": [{"name": [{"method": "a"}]}]}"#, "has a method without a service"),
        (#"{"methodConfig": [{"timeout": "1"}]}"#, "methodConfig[0].timeout is no duration"),
        (#"{"methodConfig": [{"timeout": "-1s"}]}"#, "must not be negative"),
        (#"{"methodConfig": [{"waitForReady": 1}]}"#, "is neither true nor false"),
        (#"{"methodConfig": [{"maxRequestMessageBytes": -1}]}"#, "must be in 0..."),
        (#"{"methodConfig": [{"maxResponseMessageBytes": 1.5}]}"#, "is no whole number"),
        (#"{"methodConfig": [{"hedgingPolicy": {"maxAttempts": 1}}]}"#, "must be in 2..."),
        (#"{"methodConfig": [{"hedgingPolicy": {}}]}"#, "has no 'maxAttempts'"),
        (
            #"{"methodConfig": [{"hedgingPolicy": {"maxAttempts": 2, "nonFatalStatusCodes": ["NO"]}}]}"#,
            "nonFatalStatusCodes[0] is no status code"
        ),
        (#"{"methodConfig": [{"apus": {"perTryTimeout": "0s"}}]}"#, "must be longer than zero"),
        (#"{"methodConfig": {}}"#, "methodConfig is no array"),
        (#"{"retryThrottling": {"maxTokens": 0, "tokenRatio": 1}}"#, "must be in 1...1000"),
        (#"{"retryThrottling": {"maxTokens": 1001, "tokenRatio": 1}}"#, "must be in 1...1000"),
        (#"{"retryThrottling": {"maxTokens": 1, "tokenRatio": 0}}"#, "must be at least 0.001"),
        (#"{"retryThrottling": {"maxTokens": 1}}"#, "has no 'tokenRatio'"),
        (#"{"loadBalancingConfig": [{"nobody": {}}]}"#, "names no balancer that is known"),
        (#"{"loadBalancingConfig": []}"#, "names no balancer that is known"),
        (#"{"loadBalancingConfig": [{"random": {}, "other": {}}]}"#, "must have one member"),
        (#"{"loadBalancingConfig": [{"random": 1}]}"#, "options that are no object"),
        (#"{"healthCheckConfig": {"serviceName": 1}}"#, "doc:1:39: healthCheckConfig.serviceName is no string"),
        ("[]", "doc:1:1: the document is no object"),
        ("{\n  \"methodConfig\": [\n    {\"waitForReady\": 3}]}", "doc:3:22: methodConfig[0].waitForReady"),
        ("{\n\n  x}", "doc:3:3: a member's name is missing"),
    ])
    func `a wrong document is refused with its line, its column and the reason`(text: String, reason: String) {
        let error = #expect(throws: RPCError.self) { try read(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    static let retry = [
        ("maxAttempts", "4"), ("initialBackoff", "\"0.1s\""), ("maxBackoff", "\"1s\""), ("backoffMultiplier", "2"),
        ("retryableStatusCodes", "[14]"),
    ]

    @Test(
        arguments: [
            ("maxAttempts", "1"), ("maxAttempts", "\"x\""), ("initialBackoff", "\"0s\""), ("maxBackoff", "\"0s\""),
            ("backoffMultiplier", "0"), ("retryableStatusCodes", "[]"), ("retryableStatusCodes", "[17]"),
            ("maxAttempts", nil), ("initialBackoff", nil), ("maxBackoff", nil), ("backoffMultiplier", nil),
            ("retryableStatusCodes", nil),
        ] as [(String, String?)])
    func `a retry policy with a wrong or missing field is refused`(field: String, value: String?) throws {
        func policy(_ members: [(String, String)]) -> String {
            #""retryPolicy": {"# + members.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
        }
        _ = try method(policy(Self.retry))
        let wrong = Self.retry.compactMap { $0.0 == field ? value.map { (field, $0) } : $0 }
        let error = #expect(throws: RPCError.self) { try method(policy(wrong)) }
        #expect(error?.message.contains(field) == true)
        let both = policy(Self.retry) + #", "hedgingPolicy": {"maxAttempts": 2}"#
        #expect(throws: RPCError.self) { try method(both) }
    }

    @Test func `a document that is too large is refused before it is read`() {
        let large = [UInt8](repeating: UInt8(ascii: " "), count: ServiceConfig.maximumBytes + 1)
        let error = #expect(throws: RPCError.self) { try ServiceConfig(reading: large) }
        #expect(error?.message.contains("larger than") == true)
    }

    @Test func `a document that is cut short is always refused`() {
        let bytes = Array(Self.whole.utf8)
        for length in 0..<bytes.count {
            #expect(throws: RPCError.self) { try ServiceConfig(reading: Array(bytes[..<length])) }
        }
    }

    @Test func `mutated documents never trap, and what is refused has a place`() {
        let random = SplitMixRandom(seed: 41)
        let tokens = ["{", "}", "[", "]", "\"", ",", ":", "-1", "1e308", "0", "null", "true", "\\u", "\u{0}", "\"1s\""]
        var refused = 0
        for _ in 0..<3000 {
            var bytes = Array(Self.whole.utf8)
            for _ in 0...random.index(below: 4) {
                let start = random.index(below: bytes.count)
                let end = min(bytes.count, start + random.index(below: 6))
                bytes.replaceSubrange(start..<end, with: tokens[random.index(below: tokens.count)].utf8)
            }
            do {
                _ = try ServiceConfig(reading: bytes, name: "doc")
            } catch {
                refused += 1
                #expect(error.code == .invalidArgument && error.message.hasPrefix("doc:"))
            }
        }
        #expect(refused > 1500)
    }

    @Test func `a balancer that refuses its options refuses the document`() {
        var balancers = BalancerRegistry()
        balancers.add("picky") { options in
            throw RPCError(.invalidArgument, "not \(String(decoding: options, as: UTF8.self))")
        }
        let error = #expect(throws: RPCError.self) {
            try ServiceConfig(reading: Array(#"{"loadBalancingConfig": [{"picky": {}}]}"#.utf8), balancers: balancers)
        }
        #expect(error?.message.contains("picky refuses") == true)
    }
}
