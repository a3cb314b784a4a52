// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

@Suite struct PolicyValuesTests {
    private func values(_ policy: any DescribedPolicy) -> [String: String] {
        Dictionary(policy.policyValues.map { ($0.name, $0.text) }) { first, _ in first }
    }

    @Test func `a deadline tells its time, or that it is inherited`() {
        #expect(values(Deadline(.seconds(2))) == ["timeout": "2.0 seconds", "margin": "0.0 seconds"])
        #expect(values(Deadline.inherited)["timeout"] == "inherited")
        #expect(values(Deadline(nil, margin: .milliseconds(50)))["margin"] == "0.05 seconds")
    }

    @Test func `tries tell how often, after what and within which budget`() throws {
        let budget = RetryBudget(share: 0.1, perSecond: 5, saved: 7)
        let retry = Retry(
            .exponential(maxAttempts: 3), codes: [.unavailable, .aborted], perTry: .seconds(1),
            throttle: RetryThrottle(maxTokens: 4, tokenRatio: 0.5), budget: budget)
        let told = values(retry)
        #expect(told["attempts"] == "3")
        #expect(told["waits"] == "0.1 seconds, then 2.0 times as long, 5.0 seconds at most, jitter 0.8 to 1.2")
        #expect(told["codes"] == "ABORTED, UNAVAILABLE")
        #expect(told["total"] == "none" && told["perTry"] == "1.0 seconds")
        #expect(told["budget"] == "0.1 of the calls, 5.0 a second, 7 saved at most")
        #expect(told["throttle"] == "4 tokens, 0.5 for each success")
        #expect(told["replayLimit"] == "262144 bytes")
        #expect(
            values(Retry(try .fixed(total: .seconds(1), interval: .milliseconds(500))))["waits"] == "0.5 seconds each")
        #expect(values(Hedging(delay: .fixed(.milliseconds(20))))["delay"] == "0.02 seconds")
        let measured = Hedging(delay: .percentile(0.9, in: .milliseconds(1) ... .milliseconds(500)))
        #expect(values(measured)["delay"] == "the 0.9 quantile, 0.001 seconds to 0.5 seconds, now 0.5 seconds")
    }

    @Test func `limits tell their rules and what is in force now`() {
        #expect(
            values(RateLimit(.bucket(perSecond: 100, burst: 20), per: .caller))["rate"] == "100.0 a second, 20 at once")
        #expect(values(RateLimit(.window(5, per: .seconds(1))))["per"] == "all")
        let adaptive = values(
            ConcurrencyLimit(.gradient(initial: 30, in: 10...200), queue: 5, priorityKey: "x-priority"))
        #expect(adaptive["rule"] == "gradient, 10 to 200, tolerance 1.5")
        #expect(adaptive["limit"] == "30" && adaptive["queue"] == "5" && adaptive["priorityKey"] == "x-priority")
        #expect(values(Bulkhead(8))["rule"] == "fixed, 8")
        #expect(values(ConcurrencyLimit(.throughput()))["rule"] == "throughput, 4 to 10000, each 0.5 seconds")
        #expect(values(LoadShedding([], threshold: 0.8))["threshold"] == "0.8")
    }

    @Test func `breakers and ejection tell what they count`() {
        let breaker = values(CircuitBreaker("users", for: .endpoint))
        #expect(breaker["name"] == "users" && breaker["for"] == "each endpoint")
        #expect(breaker["failureRate"] == "0.5" && breaker["consecutiveFailures"] == "none")
        var rules = OutlierRules()
        rules.successRate = nil
        let ejection = values(OutlierEjection(rules: rules))
        #expect(ejection["successRate"] == "none" && ejection["maximumEjectedPercent"] == "10")
        #expect(ejection["failurePercentage"] == "85 %, enforced 100 %, of 5 hosts with 50 calls")
    }

    @Test func `a pinned endpoint tells where it is`() {
        #expect(values(PinnedEndpoint(Endpoint(host: "10.0.0.1", port: 7))) == ["endpoint": "10.0.0.1:7"])
    }

    @Test func `balancers tell what they compare, and how new endpoints warm up`() {
        let warmUp = WarmUp(window: .seconds(60), aggression: 2, minimumShare: 0.2)
        #expect(values(LeastRequest(choices: 50)) == ["choices": "32", "warmUp": "none"])
        #expect(values(LeastRequest(warmUp: warmUp))["warmUp"] == "60.0 seconds, aggression 2.0, 0.2 at least")
        let longest = WarmUp(window: .seconds(Int64.max))
        #expect(values(LeastRequest(warmUp: longest))["warmUp"]?.hasSuffix("0.1 at least") == true)
        #expect(values(WeightedRandomBalancer()) == ["warmUp": "none"])
        #expect(values(WeightedRandomBalancer(warmUp: warmUp))["warmUp"]?.hasPrefix("60.0 seconds") == true)
        #expect(values(PickFirst()) == ["shuffles": "false"])
        #expect(values(PickFirst(shuffles: true)) == ["shuffles": "true"])
        #expect(
            values(PeakEWMA(decay: .seconds(5), failure: .milliseconds(200), faults: [.internal, .aborted]))
                == ["decay": "5.0 seconds", "failure": "0.2 seconds", "faults": "ABORTED, INTERNAL"])
        #expect(values(EagerConnections(limit: 7)) == ["limit": "7"])
    }

    @Test func `hashing balancers tell what calls belong together by, and the size of their tables`() {
        #expect(
            values(RingHash(by: .metadata("user"), minimumSize: 10, maximumSize: 100))
                == ["by": "metadata user", "size": "10 places of the heaviest endpoint, 100 of all"])
        #expect(values(RingHash(by: .random, ringSize: 8...64)) == ["by": "nothing", "size": "8 to 64 places"])
        #expect(
            values(Maglev(by: .key { $0.target }, size: 100))
                == ["by": "a key of the application's", "size": "101 slots"])
    }

    @Test(arguments: [(false, "per call"), (true, "out of band")])
    func `weighted turns tell where reports come from, and how they become weights`(isOutOfBand: Bool, text: String) {
        var rules = LoadWeightRules()
        rules.errorPenalty = 2.5
        let told = values(WeightedRoundRobin(reports: Reports(isOutOfBand: isOutOfBand), rules: rules))
        #expect(told["reports"] == text && told["blackout"] == "10.0 seconds" && told["expiration"] == "180.0 seconds")
        #expect(told["update"] == "1.0 seconds" && told["errorPenalty"] == "2.5")
    }

    @Test func `routing tells its rules in their order, and not what headers are compared with`() {
        let routing = VersionRouting(
            [
                .init(.header("authorization", "Bearer secret"), to: "version", "2"),
                .init(.share(0.05), to: "stage", "b"),
            ],
            isStrict: true)
        #expect(
            routing.policyValues == [
                PolicyValue("rule", "header authorization to version 2"),
                PolicyValue("rule", "0.05 of the calls to stage b"), PolicyValue("isStrict", true),
            ])
        #expect(
            values(ZonePreference("eu-1", minimumShare: 0.7))
                == ["zone": "eu-1", "key": "zone", "minimumShare": "0.7"])
        #expect(values(Subset(size: 0, client: "me")) == ["size": "1", "client": "me"])
    }

    @Test func `what answers calls tells what it keeps, and for whom`() async throws {
        let script = ScriptedTransport()
        script.otherwise.reply("12345")
        let cache = AnswerCache(age: .seconds(10), methods: ["/b.B/X", "/a.A/X"], distinguishing: .keys(["tenant"]))
        _ = try await Channel("users", interceptors: [cache], transport: script).look("a", ["tenant": "secret"])
        let told = values(cache)
        #expect(told["age"] == "10.0 seconds" && told["methods"] == "/a.A/X, /b.B/X")
        #expect(told["distinguishing"] == "tenant" && told["maximumBytes"] == "16777216 bytes")
        #expect(told["kept"]?.hasPrefix("1 answers, ") == true)
        #expect(values(SingleFlight()) == ["methods": "none", "distinguishing": "all", "running": "0"])
        #expect(
            values(Fallback { _, error in throw error }) == [
                "codes": "DEADLINE_EXCEEDED, UNAVAILABLE", "methods": "all",
            ])
    }

    @Test func `idempotency tells how much it remembers, and no key`() async throws {
        let memory = IdempotencyMemory(age: .seconds(60), maximumKeys: 10, maximumBytes: 1000)
        #expect(try await memory.claim("secret") == nil)
        let told = values(Idempotency(memory, callerKeys: ["authorization", "x-user"], transient: [.unavailable]))
        #expect(told["callerKeys"] == "authorization, x-user" && told["transient"] == "UNAVAILABLE")
        #expect(told["store"] == "IdempotencyMemory" && told["age"] == "60.0 seconds" && told["maximumKeys"] == "10")
        #expect(told["maximumBytes"] == "1000 bytes" && told["keys"] == "1")
        #expect(!told.values.contains { $0.contains("secret") })
    }

    @Test func `security tells its rules by their names, and nothing of what they look for`() {
        let rule = AuthorizationPolicy.Rule("partners", headers: [.init("x-key", values: ["secret"])])
        let authorization = Authorization(
            AuthorizationPolicy("p", deny: [.init("deletes")], allow: [rule, .init("all")], auditing: .denials))
        #expect(
            values(authorization) == [
                "policy": "p", "deny": "deletes", "allow": "partners, all", "auditing": "denials",
            ])
        authorization.replace(with: AuthorizationPolicy("q", allow: [], auditing: [.permissions, .denials]))
        #expect(
            values(authorization) == [
                "policy": "q", "deny": "none", "allow": "none", "auditing": "denials, permissions",
            ])
        let tokens = BearerAuthenticator(tokens: ["secret": Principal(name: "ada")])
        #expect(
            values(Authentication([CertificateAuthenticator(), tokens], open: ["/a.A/*"]))
                == ["authenticators": "CertificateAuthenticator, BearerAuthenticator", "open": "/a.A/*"])
    }

    @Test func `drills tell whom they meet`() {
        let faults = FaultInjection([
            Fault(share: 0.5, methods: ["/a.A/X"], delay: .seconds(1) ... .seconds(2), abort: Status(.internal, "")),
            Fault(header: ("x-drill", "secret")),
        ])
        #expect(
            faults.policyValues == [
                PolicyValue("fault", "0.5 of the calls of /a.A/X: 1.0 seconds to 2.0 seconds late, INTERNAL"),
                PolicyValue("fault", "1.0 of the calls with x-drill: nothing"),
            ])
        let shadow = Channel("shadow", interceptors: [], transport: ScriptedTransport())
        #expect(
            values(Mirror(to: shadow, share: 0.1)) == [
                "to": "shadow", "share": "0.1", "maximumRunning": "100", "timeout": "10.0 seconds", "running": "0",
            ])
    }
}

/// Reports of nothing.
private struct Reports: LoadReportSource {
    let isOutOfBand: Bool

    func report(in trailers: Metadata) -> LoadReport? { nil }

    func follow(
        _ handle: EndpointHandle, of target: String, through next: ClientNext,
        _ receive: @Sendable (LoadReport) -> Void
    ) async throws {}
}
