// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import Testing

@testable import ApusServices

struct ProtectionReadingTests {
    private func read(_ own: String) throws(RPCError) -> ServiceConfig.Protection {
        try ServiceConfig(reading: Array("{\n\"apus\": {\(own)}}".utf8), name: "doc").protection
    }

    @Test func `a breaker's rules are read, and the others stay`() throws {
        let own = #"""
            "circuitBreaker": {"scope": "endpoint", "failureRate": false, "slowRate": 0.25, "slowAfter": "0.5s",
              "consecutiveFailures": 7, "window": "20s", "minimumCalls": 3, "openFor": "1s", "longestOpen": "2s",
              "probes": 4, "faults": ["UNAVAILABLE", 4]}
            """#
        let breaker = try #require(try read(own).breaker?.settings)
        #expect(breaker.scope == .endpoint)
        #expect(breaker.rules.failureRate == nil && breaker.rules.slowRate == 0.25)
        #expect(breaker.rules.slowAfter == .milliseconds(500) && breaker.rules.window == .seconds(20))
        #expect(breaker.rules.consecutiveFailures == 7 && breaker.rules.minimumCalls == 3)
        #expect(breaker.rules.openFor == .seconds(1) && breaker.rules.longestOpen == .seconds(2))
        #expect(breaker.rules.probes == 4 && breaker.rules.faults == [.unavailable, .deadlineExceeded])
        let plain = try #require(try read(#""circuitBreaker": {}"#).breaker?.settings)
        #expect(plain.scope == .endpointAndMethod && plain.rules.failureRate == 0.5 && plain.rules.slowRate == nil)
        #expect(plain.rules.faults == .serverFaults)
    }

    @Test func `outlier ejection is read with the names and units of A50`() throws {
        let own = #"""
            "outlierEjection": {"interval": "1s", "baseEjectionTime": "2s", "maxEjectionTime": "9s",
              "maxEjectionPercent": 50, "successRateEjection": {"stdevFactor": 1500, "enforcementPercentage": 80,
              "minimumHosts": 3, "requestVolume": 10}, "failurePercentageEjection": false,
              "consecutiveFailures": false, "faults": [14]}
            """#
        let rules = try #require(try read(own).outliers?.settings)
        #expect(rules.interval == .seconds(1) && rules.baseEjection == .seconds(2))
        #expect(rules.longestEjection == .seconds(9) && rules.maximumEjectedPercent == 50)
        let success = try #require(rules.successRate)
        #expect(success.deviations == 1.5 && success.enforcement == 80)
        #expect(success.minimumHosts == 3 && success.minimumCalls == 10)
        #expect(rules.failurePercentage == nil && rules.consecutiveFailures == nil && rules.faults == [.unavailable])
        let share = #""outlierEjection": {"failurePercentageEjection": {"threshold": 30, "requestVolume": 5}}"#
        let failures = try #require(try read(share).outliers?.settings.failurePercentage)
        #expect(failures.threshold == 30 && failures.minimumCalls == 5 && failures.minimumHosts == 5)
    }

    @Test func `limits are read`() throws {
        let own = #"""
            "rateLimit": {"perSecond": 2.5, "burst": 7, "per": "metadata:Tenant"},
            "concurrencyLimit": {"limit": 3, "queue": 5, "longestWait": "0.1s", "priorityKey": "Urgency"}
            """#
        let protection = try read(own)
        #expect(protection.rate?.settings.rate == .bucket(perSecond: 2.5, burst: 7))
        #expect(protection.rate?.settings.key == .metadata("tenant"))
        let concurrency = try #require(protection.concurrency?.settings)
        #expect(concurrency.limit == 3 && concurrency.queue == 5 && concurrency.longestWait == .milliseconds(100))
        #expect(concurrency.priorityKey == "urgency")
        let window = try read(#""rateLimit": {"calls": 9, "window": "2s", "per": "method"}"#).rate?.settings
        #expect(window?.rate == .window(9, per: .seconds(2)))
        #expect(window?.key == .method)
        #expect(try read("") == ServiceConfig.Protection())
    }

    @Test(arguments: [
        (#""circuitBreaker": 7"#, "2:28: apus.circuitBreaker is no object"),
        (
            #""circuitBreaker": {"scope": "x"}"#,
            #"2:38: apus.circuitBreaker.scope is neither "endpoint" nor "endpointAndMethod""#
        ),
        (
            #""circuitBreaker": {"failureRate": 1.5}"#,
            "2:44: apus.circuitBreaker.failureRate must be more than 0 and at most 1"
        ),
        (
            #""circuitBreaker": {"failureRate": 0}"#,
            "2:44: apus.circuitBreaker.failureRate must be more than 0 and at most 1"
        ),
        (#""circuitBreaker": {"probes": 0}"#, "2:39: apus.circuitBreaker.probes is 0 and must be in 1...1000000"),
        (#""circuitBreaker": {"openFor": "0s"}"#, "2:40: apus.circuitBreaker.openFor must be longer than zero"),
        (#""circuitBreaker": {"openFor": 5}"#, #"2:40: apus.circuitBreaker.openFor is no duration such as "1.5s""#),
        (#""circuitBreaker": {"faults": ["BAD"]}"#, "2:40: apus.circuitBreaker.faults[0] is no status code"),
        (
            #""outlierEjection": {"maxEjectionPercent": 101}"#,
            "2:52: apus.outlierEjection.maxEjectionPercent is 101 and must be in 0...100"
        ),
        (
            #""outlierEjection": {"successRateEjection": true}"#,
            "2:53: apus.outlierEjection.successRateEjection is no object"
        ),
        (#""rateLimit": {}"#, "2:23: apus.rateLimit has no 'perSecond'"),
        (#""rateLimit": {"perSecond": -1}"#, "2:37: apus.rateLimit.perSecond must be in 0.000001...1000000000"),
        (
            #""rateLimit": {"calls": 1, "window": "1s", "perSecond": 1}"#,
            "2:65: apus.rateLimit.perSecond stands besides calls in a window"
        ),
        (
            #""rateLimit": {"perSecond": 1, "per": "metadata:"}"#,
            #"2:47: apus.rateLimit.per is none of "all", "method" and "metadata:<key>""#
        ),
        (#""concurrencyLimit": {"queue": 1}"#, "2:30: apus.concurrencyLimit has no 'limit'"),
        (#""concurrencyLimit": {"limit": 1e300}"#, "2:40: apus.concurrencyLimit.limit is no whole number"),
    ])
    func `a bad value is refused with its line, column and reason`(own: String, reason: String) {
        let error = #expect(throws: RPCError.self) { try read(own) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == "doc:\(reason)")
    }
}
