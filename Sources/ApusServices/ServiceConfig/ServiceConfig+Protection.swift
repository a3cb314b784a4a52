// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors

extension ServiceConfig {
    /// What the document asks for under its key `apus`: policies that gRPC's service config has none of. What is not
    /// said has the default of the policy's rules; `false` turns a part of them off.
    struct Protection: Sendable, Equatable {
        var breaker: Read<BreakerSettings>?
        var outliers: Read<OutlierRules>?
        var rate: Read<RateSettings>?
        var concurrency: Read<ConcurrencySettings>?
    }

    /// What was read, and from what: the same text is the same policy.
    struct Read<Settings: Sendable>: Sendable, Equatable {
        let settings: Settings
        private let json: JSON

        init(
            _ value: ConfigValue, _ read: (ConfigValue) throws(ConfigProblem) -> Settings
        ) throws(ConfigProblem) {
            settings = try read(value)
            json = value.json
        }

        static func == (left: Self, right: Self) -> Bool { left.json == right.json }
    }

    struct BreakerSettings: Sendable {
        var scope = CircuitBreaker.Scope.endpointAndMethod
        var rules = BreakerRules()
    }

    struct RateSettings: Sendable {
        let rate: Rate
        let key: RateLimit.Key
    }

    struct ConcurrencySettings: Sendable {
        let limit: Int
        let queue: Int
        let longestWait: Duration
        let priorityKey: String?
    }
}

extension ServiceConfig.Protection {
    init(reading value: ConfigValue) throws(ConfigProblem) {
        breaker = try value.member("circuitBreaker").map { value throws(ConfigProblem) in
            try .init(value, Self.breaker)
        }
        outliers = try value.member("outlierEjection").map { value throws(ConfigProblem) in
            try .init(value, Self.outliers)
        }
        rate = try value.member("rateLimit").map { value throws(ConfigProblem) in try .init(value, Self.rate) }
        concurrency = try value.member("concurrencyLimit").map { value throws(ConfigProblem) in
            try .init(value, Self.concurrency)
        }
    }

    private static let counts = 1...1_000_000

    private static func breaker(_ value: ConfigValue) throws(ConfigProblem) -> ServiceConfig.BreakerSettings {
        var settings = ServiceConfig.BreakerSettings()
        if let scope = try value.member("scope") {
            switch try scope.string() {
            case "endpoint": settings.scope = .endpoint
            case "endpointAndMethod": settings.scope = .endpointAndMethod
            default: throw scope.problem("is neither \"endpoint\" nor \"endpointAndMethod\"")
            }
        }
        let rules = settings.rules
        settings.rules.failureRate = try value.switchable("failureRate", rules.failureRate, ConfigValue.share)
        settings.rules.slowRate = try value.switchable("slowRate", rules.slowRate, ConfigValue.share)
        settings.rules.consecutiveFailures = try value.switchable("consecutiveFailures", rules.consecutiveFailures) {
            value throws(ConfigProblem) in try value.integer(in: counts)
        }
        settings.rules.slowAfter = try value.member("slowAfter")?.duration() ?? rules.slowAfter
        settings.rules.window = try value.member("window")?.duration() ?? rules.window
        settings.rules.minimumCalls = try value.member("minimumCalls")?.integer(in: counts) ?? rules.minimumCalls
        settings.rules.openFor = try value.member("openFor")?.duration() ?? rules.openFor
        settings.rules.longestOpen = try value.member("longestOpen")?.duration() ?? rules.longestOpen
        settings.rules.probes = try value.member("probes")?.integer(in: counts) ?? rules.probes
        settings.rules.faults = try value.member("faults")?.codes() ?? rules.faults
        return settings
    }

    private static func outliers(_ value: ConfigValue) throws(ConfigProblem) -> OutlierRules {
        var rules = OutlierRules()
        rules.interval = try value.member("interval")?.duration() ?? rules.interval
        rules.baseEjection = try value.member("baseEjectionTime")?.duration() ?? rules.baseEjection
        rules.longestEjection = try value.member("maxEjectionTime")?.duration() ?? rules.longestEjection
        rules.maximumEjectedPercent =
            try value.member("maxEjectionPercent")?.integer(in: 0...100) ?? rules.maximumEjectedPercent
        rules.successRate = try value.switchable("successRateEjection", rules.successRate, Self.successRate)
        rules.failurePercentage = try value.switchable(
            "failurePercentageEjection", rules.failurePercentage, Self.failurePercentage)
        rules.consecutiveFailures = try value.switchable("consecutiveFailures", rules.consecutiveFailures) {
            value throws(ConfigProblem) in try value.integer(in: counts)
        }
        rules.faults = try value.member("faults")?.codes() ?? rules.faults
        return rules
    }

    // The names and units of A50: a stdevFactor of 1900 is 1.9 deviations.
    private static func successRate(_ value: ConfigValue) throws(ConfigProblem) -> OutlierRules.SuccessRate {
        var rules = OutlierRules.SuccessRate()
        if let factor = try value.member("stdevFactor") {
            rules.deviations = Double(try factor.integer(in: 0...1_000_000)) / 1000
        }
        rules.enforcement = try value.member("enforcementPercentage")?.integer(in: 0...100) ?? rules.enforcement
        rules.minimumHosts = try value.member("minimumHosts")?.integer(in: counts) ?? rules.minimumHosts
        rules.minimumCalls = try value.member("requestVolume")?.integer(in: counts) ?? rules.minimumCalls
        return rules
    }

    private static func failurePercentage(_ value: ConfigValue) throws(ConfigProblem) -> OutlierRules.FailurePercentage
    {
        var rules = OutlierRules.FailurePercentage()
        rules.threshold = try value.member("threshold")?.integer(in: 0...100) ?? rules.threshold
        rules.enforcement = try value.member("enforcementPercentage")?.integer(in: 0...100) ?? rules.enforcement
        rules.minimumHosts = try value.member("minimumHosts")?.integer(in: counts) ?? rules.minimumHosts
        rules.minimumCalls = try value.member("requestVolume")?.integer(in: counts) ?? rules.minimumCalls
        return rules
    }

    private static func rate(_ value: ConfigValue) throws(ConfigProblem) -> ServiceConfig.RateSettings {
        let key = try value.member("per").map(key) ?? .all
        guard let calls = try value.member("calls") else {
            let perSecond = try value.required("perSecond")
            guard (1e-6...1e9).contains(try perSecond.number()) else {
                throw perSecond.problem("must be in 0.000001...1000000000")
            }
            let burst = try value.member("burst")?.integer(in: 1...1_000_000_000)
            return .init(rate: .bucket(perSecond: try perSecond.number(), burst: burst), key: key)
        }
        if let other = try value.member("perSecond") { throw other.problem("stands besides calls in a window") }
        let window = try value.required("window").duration()
        return .init(rate: .window(try calls.integer(in: 1...1_000_000_000), per: window), key: key)
    }

    private static func key(_ value: ConfigValue) throws(ConfigProblem) -> RateLimit.Key {
        let text = try value.string()
        if text == "all" { return .all }
        if text == "method" { return .method }
        let name = text.hasPrefix("metadata:") ? text.dropFirst("metadata:".count).lowercased() : ""
        guard !name.isEmpty else { throw value.problem("is none of \"all\", \"method\" and \"metadata:<key>\"") }
        return .metadata(name)
    }

    private static func concurrency(_ value: ConfigValue) throws(ConfigProblem) -> ServiceConfig.ConcurrencySettings {
        ServiceConfig.ConcurrencySettings(
            limit: try value.required("limit").integer(in: counts),
            queue: try value.member("queue")?.integer(in: 0...1_000_000) ?? 0,
            longestWait: try value.member("longestWait")?.duration() ?? .seconds(1),
            priorityKey: try value.member("priorityKey")?.string().lowercased())
    }
}

extension ConfigValue {
    /// A member that `false` turns off: then, and when it is missing and the default is nil, there is no value.
    fileprivate func switchable<T>(
        _ name: String, _ default: T?, _ read: (ConfigValue) throws(ConfigProblem) -> T
    ) throws(ConfigProblem) -> T? {
        guard let value = try member(name) else { return `default` }
        if case .bool(false) = value.json { return nil }
        return try read(value)
    }

    /// A share of calls: more than 0, at most 1.
    fileprivate static func share(_ value: ConfigValue) throws(ConfigProblem) -> Double {
        let number = try value.number()
        guard number > 0, number <= 1 else { throw value.problem("must be more than 0 and at most 1") }
        return number
    }
}
