// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
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
}
