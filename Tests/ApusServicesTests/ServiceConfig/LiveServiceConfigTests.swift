// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusInterceptors
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusServices

/// Remembers what was told of documents.
private final class ConfigObserver: Observer {
    private let told = Mutex<[String]>([])

    var events: [String] { told.withLock { $0 } }

    func policyEvent(_ event: PolicyEvent) {
        switch event {
        case .configurationApplied(let source): told.withLock { $0.append("applied \(source)") }
        case .configurationRefused(let source, let reason):
            told.withLock { $0.append("refused \(source): \(reason)") }
        default: break
        }
    }
}

@Suite(.timeLimit(.minutes(10))) struct LiveServiceConfigTests {
    private let clock = ManualClock()
    private let script = ScriptedTransport()
    private let observer = ConfigObserver()

    private func channel(_ config: LiveServiceConfig, _ more: any ClientInterceptor...) -> Channel {
        Channel("users", interceptors: [ServiceConfigured(config)] + more, transport: script, clock: clock)
    }

    private func live(_ text: String? = nil, balancers: BalancerRegistry = .standard) throws -> LiveServiceConfig {
        let config = LiveServiceConfig(balancers: balancers, observer: observer, clock: clock)
        if let text { try config.apply(Array(text.utf8), name: "doc") }
        return config
    }

    private static func all(_ members: String) -> String { #"{"methodConfig": [{"name": [{}], \#(members)}]}"# }

    private static func retry(_ attempts: Int) -> String {
        #""retryPolicy": {"maxAttempts": \#(attempts), "initialBackoff": "0.000000001s", "#
            + #""maxBackoff": "0.000000001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}"#
    }

    @Test func `without a document a call goes as it is, and once`() async throws {
        let channel = channel(try live())
        script.expect { #expect($0.deadline.isNone && !$0.waitForReady && $0.maximumResponseBytes == nil) }
            .fail(.unavailable)
        await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(script.calls.count == 1)
    }

    @Test func `a call that no server has seen is sent again without a retry policy`() async throws {
        let channel = channel(try live())
        script.expect().fail(.unavailable, progress: .refused)
        script.expect().reply("again")
        #expect(try await channel.ask() == "again")
    }

    @Test func `a call gets the config's time, readiness and limit, and keeps what is stricter`() async throws {
        let channel = channel(
            try live(Self.all(#""timeout": "2s", "waitForReady": true, "maxResponseMessageBytes": 100"#)))
        let now = clock.now
        script.expect {
            #expect($0.deadline.instant == now.advanced(by: .seconds(2)))
            #expect($0.waitForReady && $0.maximumResponseBytes == 100)
        }.reply()
        try await channel.ask()
        script.expect {
            #expect($0.deadline.instant == now.advanced(by: .seconds(1)))
            #expect($0.maximumResponseBytes == 50)
        }.reply()
        try await channel.ask(CallOptions(timeout: .seconds(1), maximumResponseBytes: 50))
        #expect(script.unmet == 0)
    }

    @Test func `a request that is too large is refused before it is sent`() async throws {
        let channel = channel(try live(Self.all(#""maxRequestMessageBytes": 2"#)))
        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
        #expect(error?.code == .resourceExhausted)
        #expect(script.calls.isEmpty)
    }

    @Test func `the method's own entry wins over its service's, and that over the default`() async throws {
        let config = try live(
            #"""
            {"methodConfig": [
              {"name": [{}], "maxResponseMessageBytes": 1},
              {"name": [{"service": "test.Service"}], "maxResponseMessageBytes": 2},
              {"name": [{"service": "test.Service", "method": "Unary"}], "maxResponseMessageBytes": 3}]}
            """#)
        let channel = channel(config)
        script.otherwise.reply()
        for (service, name) in [("test.Service", "Unary"), ("test.Service", "Other"), ("else", "Unary")] {
            let method = MethodDescriptor(service: service, name: name, kind: .unary)
            _ = try await channel.start(method, .one(MessageBytes("x".utf8)))
        }
        #expect(script.calls.map(\.maximumResponseBytes) == [3, 2, 1])
    }

    @Test func `the next call follows a new document, and a call that runs finishes under the old one`() async throws {
        let config = try live(Self.all(#""maxResponseMessageBytes": 1"#))
        let channel = channel(config)
        script.expect().run { call in
            try config.apply(Array(Self.all(#""maxResponseMessageBytes": 2"#).utf8))
            #expect(call.maximumResponseBytes == 1)
            throw RPCError(.unavailable, "not seen", progress: .refused)
        }
        script.otherwise.reply()
        try await channel.ask()
        try await channel.ask()
        #expect(script.calls.map(\.maximumResponseBytes) == [1, 1, 2])
    }

    @Test func `a bad document is told with its place, and the last good one stays`() async throws {
        let config = try live(Self.all(#""timeout": "2s""#))
        let error = #expect(throws: RPCError.self) { try config.apply(Array("{\n 7}".utf8), name: "doc") }
        #expect(error?.message == "doc:2:2: a member's name is missing")
        #expect(config.lastRefusal?.message == error?.message)
        #expect(config.current.methods.first?.timeout == .seconds(2))
        #expect(observer.events == ["applied doc", "refused doc: doc:2:2: a member's name is missing"])
        try config.apply(Array("{}".utf8), name: "doc")
        #expect(config.lastRefusal == nil)
        #expect(config.current == ServiceConfig())
    }

    @Test func `the throttle keeps its count while its rule stays, and starts anew with another rule`() async throws {
        func document(_ tokens: Int, _ attempts: Int) -> [UInt8] {
            let throttling = #""retryThrottling": {"maxTokens": \#(tokens), "tokenRatio": 0.1}, "#
            return Array("{\(throttling)\(Self.all(Self.retry(attempts)).dropFirst())".utf8)
        }
        let config = try live()
        try config.apply(document(4, 2))
        let throttle = try #require(config.inForce.throttle)
        throttle.failed()
        try config.apply(document(4, 3))
        #expect(config.inForce.throttle === throttle)
        #expect(config.inForce.throttle?.current.tokens == 3)
        try config.apply(document(5, 3))
        #expect(config.inForce.throttle?.current.tokens == 5)
    }

    @Test func `the first balancer that is known is used, and kept while its options stay`() async throws {
        let made = CountedBalancers()
        var balancers = BalancerRegistry()
        balancers.add("mine") { _ in made.make() }
        let config = try live(#"{"loadBalancingConfig": [{"other": {}}, {"mine": {"a": 1}}]}"#, balancers: balancers)
        let channel = channel(config, ConfiguredBalancer(config, fallback: Tagged("fallback")))
        script.otherwise.reply()
        try await channel.ask()
        let first = try #require(script.calls.last?.metadata["by"])
        try config.apply(Array(#"{"loadBalancingConfig": [{"mine": {"a": 1}}], "healthCheckConfig": {}}"#.utf8))
        try await channel.ask()
        #expect(script.calls.last?.metadata["by"] == first)
        try config.apply(Array(#"{"loadBalancingConfig": [{"mine": {"a": 2}}]}"#.utf8))
        try await channel.ask()
        #expect(script.calls.last?.metadata["by"] != first)
        try config.apply(Array("{}".utf8))
        try await channel.ask()
        #expect(script.calls.last?.metadata["by"] == "fallback")
    }

    @Test func `a source's document is in force without a file, and the source ends with its reader`() async throws {
        let config = LiveServiceConfig(following: FixedConfig(Self.all(#""timeout": "3s""#)), clock: clock)
        while config.current.methods.isEmpty { await Task.yield() }
        #expect(config.current.methods.first?.timeout == .seconds(3))
        weak var released: LiveServiceConfig?
        do {
            let folder = try TemporaryFolder()
            let watching = LiveServiceConfig(following: FileConfig("\(folder.path)/no", clock: clock), clock: clock)
            while watching.lastRefusal == nil { await Task.yield() }
            released = watching
        }
        while released != nil || clock.sleepers > 0 { await Task.yield() }
        #expect(released == nil)
    }
}

private final class CountedBalancers: Sendable {
    private let count = Mutex(0)

    func make() -> Tagged {
        Tagged(
            count.withLock {
                $0 += 1
                return "\($0)"
            })
    }
}

private struct Tagged: ClientInterceptor {
    let tag: String

    init(_ tag: String) { self.tag = tag }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        call.metadata["by"] = tag
        return try await next(call)
    }
}
