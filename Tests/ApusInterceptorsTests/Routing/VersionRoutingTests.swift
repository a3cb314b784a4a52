// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

struct VersionRoutingTests {
    private let script = ScriptedTransport()
    private let candidates = Candidates(
        (0..<6).map { Endpoint(host: "127.0.0.1", port: $0, metadata: $0 < 2 ? ["version": "2"] : ["version": "1"]) })

    private func channel(_ rules: [VersionRouting.Rule], isStrict: Bool = false) -> Channel {
        script.otherwise.reply("fine")
        let routing = VersionRouting(rules, isStrict: isStrict, random: SplitMixRandom(seed: 11))
        return Channel("s", interceptors: [FixedCandidates(candidates), routing], transport: script)
    }

    private var sizes: [Int] { script.calls.compactMap { $0.candidates?.handles.count } }

    @Test func `calls with a header go to the version that it asks for, the rest to the others`() async throws {
        let channel = channel([.init(.header("x-canary", "y*"), to: "version", "2")])
        try await channel.ask(CallOptions(metadata: ["x-canary": "yes"]))
        try await channel.ask(CallOptions(metadata: ["x-canary": "no"]))
        try await channel.ask()
        #expect(sizes == [2, 4, 4])
        let versions = script.calls.compactMap { $0.candidates?.version }
        #expect(versions[1] == versions[2])
    }

    @Test func `a share of the calls goes to the new version`() async throws {
        let channel = channel([.init(.share(0.05), to: "version", "2")])
        for _ in 0..<10_000 { try await channel.ask() }
        // 500, with a standard deviation of 22.
        let canaries = sizes.count { $0 == 2 }
        #expect(abs(canaries - 500) < 130, "\(canaries)")
        #expect(sizes.count { $0 == 4 } == 10_000 - canaries)
    }

    @Test func `the first rule that is for a call says where it goes`() async throws {
        let channel = channel([
            .init(.header("x-stable", "*"), to: "version", "1"), .init(.share(1), to: "version", "2"),
        ])
        try await channel.ask(CallOptions(metadata: ["x-stable": "1"]))
        try await channel.ask()
        #expect(sizes == [4, 2])
    }

    @Test func `where nobody has the version the call goes on, or fails when the rules are strict`() async throws {
        let rules: [VersionRouting.Rule] = [.init(.share(1), to: "version", "3")]
        try await channel(rules).ask()
        #expect(sizes == [6])
        let error = await #expect(throws: RPCError.self) { try await channel(rules, isStrict: true).ask() }
        #expect(error?.status == Status(.unavailable, "'s' has no instance with version 3"))
        #expect(error?.progress == .notConnected)
    }

    @Test func `when rules name all instances the rest goes to all`() async throws {
        try await channel([
            .init(.header("x", "1"), to: "version", "1"), .init(.header("x", "2"), to: "version", "2"),
        ]).ask()
        #expect(sizes == [6])
    }

    @Test(arguments: [false, true])
    func `over ten thousand random calls each goes to the instances that its rule names`(isStrict: Bool) async throws {
        let rules: [VersionRouting.Rule] = [
            .init(.header("x-canary", "y*"), to: "version", "2"), .init(.share(0.2), to: "version", "3"),
            .init(.header("x-stable", "*"), to: "version", "1"),
        ]
        let (draws, random) = (SplitMixRandom(seed: 5), SplitMixRandom(seed: 6))
        var list = candidates
        let lists = ChangingList(list)
        script.otherwise.reply()
        let routing = VersionRouting(rules, isStrict: isStrict, random: SplitMixRandom(seed: 5))
        let channel = Channel("s", interceptors: [lists, routing], transport: script)
        var refused = 0
        for _ in 0..<10_000 {
            if random.index(below: 20) == 0 {
                let versions = ["1", "2", "3", "4"].filter { _ in random.index(below: 2) == 0 } + ["1"]
                list = Candidates(
                    (0..<6).map { .init(.memory("\($0)"), metadata: ["version": versions[$0 % versions.count]]) })
                lists.change(to: list)
            }
            let (isCanary, isStable) = (random.index(below: 4) == 0, random.index(below: 2) == 0)
            let metadata: Metadata = [
                "x-canary": isCanary ? "yes" : "no", isStable ? "x-stable" : "x-other": "1",
            ]
            let version = isCanary ? "2" : draws.unit() < 0.2 ? "3" : isStable ? "1" : nil
            let named = list.handles.filter { $0.metadata["version"] == version }
            let others = list.handles.filter { !["1", "2", "3"].contains($0.metadata["version"]) }
            let rest = others.isEmpty ? list.handles : others
            let before = script.calls.count
            let answer = try? await channel.ask(CallOptions(metadata: metadata))
            if isStrict, version != nil, named.isEmpty {
                #expect(answer == nil && script.calls.count == before)
                refused += 1
            } else {
                let expected = version == nil || named.isEmpty ? rest : named
                #expect(script.calls.last?.candidates?.handles == expected && script.calls.count == before + 1)
            }
        }
        #expect((refused > 500) == isStrict)
    }

    /// Keeps nothing of the calls that it answers.
    private final class Forgetful: ClientTransport {
        func start(_ call: ClientCall) async throws -> ClientResponse {
            ClientResponse(metadata: Metadata(), body: .one(MessageBytes([]), trailers: Metadata()))
        }
        func connect(to endpoint: EndpointHandle) {}
        func close() {}
        func runBlocking(_ body: @escaping @Sendable () async -> Void) throws(RPCError) {}
    }

    /// Gives one call its candidates, and forgets them.
    private final class OnceBox: ClientInterceptor {
        private let candidates: Mutex<Candidates?>

        init(_ candidates: Candidates) { self.candidates = Mutex(candidates) }

        func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
            var call = call
            call.candidates = candidates.withLock { $0.take() }
            return try await next(call)
        }
    }

    @Test(arguments: ["1", "2", "3"])
    func `a list that was routed is freed, also when rules name all of it`(other: String) async throws {
        weak var handle: EndpointHandle?
        do {
            let candidates = Candidates([
                Endpoint(.memory("a"), metadata: ["version": "1"]),
                Endpoint(.memory("b"), metadata: ["version": other]),
            ])
            handle = candidates.handles[0]
            let rules: [VersionRouting.Rule] = [
                .init(.header("x", "1"), to: "version", "1"), .init(.header("x", "2"), to: "version", "2"),
            ]
            let box = OnceBox(candidates)
            let channel = Channel("s", interceptors: [box, VersionRouting(rules)], transport: Forgetful())
            try await channel.ask()
            channel.close()
        }
        #expect(handle == nil)
    }

    @Test func `over real connections the header's servers answer`() async throws {
        let endpoints = (0..<4).map { Endpoint(.memory("server-\($0)"), metadata: ["version": $0 == 0 ? "2" : "1"]) }
        let servers: [Served.Handler] = (0..<4).map { number in { _ in "\(number)" } }
        let routing = VersionRouting([.init(.header("x-canary", "*"), to: "version", "2")])
        try await Served.run(
            servers, client: [FixedCandidates(Candidates(endpoints)), routing, RandomBalancer()]
        ) { channel in
            for _ in 0..<20 {
                let canary = try await channel.ask(CallOptions(metadata: ["x-canary": "1"]))
                let other = try await channel.ask()
                #expect(canary == "0" && other != "0")
            }
        }
    }
}
