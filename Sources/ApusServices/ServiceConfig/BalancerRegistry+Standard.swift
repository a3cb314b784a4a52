// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors

extension BalancerRegistry {
    /// The balancers of this library under gRPC's names, with gRPC's options; and those that gRPC has none of under ours.
    ///
    /// | name | options |
    /// |---|---|
    /// | `random` | |
    /// | `round_robin` | |
    /// | `pick_first` | `shuffleAddressList` |
    /// | `least_request_experimental` | `choiceCount`, from 2, at most 10 |
    /// | `weighted_round_robin` | `enableOobLoadReport`, `oobReportingPeriod`, `blackoutPeriod`, `weightExpirationPeriod`, `weightUpdatePeriod`, `errorUtilizationPenalty` |
    /// | `ring_hash_experimental` | `requestHashHeader`, which it needs; `minRingSize`, `maxRingSize` |
    /// | `weighted_random` | |
    /// | `peak_ewma` | |
    /// | `maglev` | `requestHashHeader`, which it needs |
    ///
    /// Source: service_config.proto; gRFCs A48, A58, A61, A76.
    public static var standard: BalancerRegistry {
        var registry = BalancerRegistry()
        registry.add("random") { _ in RandomBalancer() }
        registry.add("round_robin") { _ in RoundRobin() }
        registry.add("weighted_random") { _ in WeightedRandomBalancer() }
        registry.add("peak_ewma") { _ in PeakEWMA() }
        registry.read("pick_first", pickFirst)
        registry.read("least_request_experimental", leastRequest)
        registry.read("weighted_round_robin", weightedRoundRobin)
        registry.read("ring_hash_experimental", ringHash)
        registry.read("maglev") { (options) throws(ConfigProblem) in Maglev(by: try requestHash(options)) }
        return registry
    }

    private mutating func read(
        _ name: String, _ make: @escaping @Sendable (ConfigValue) throws(ConfigProblem) -> any ClientInterceptor
    ) {
        add(name) { bytes in try make(ConfigValue(json: try JSONReader.read(bytes), path: [])) }
    }

    private static func pickFirst(_ options: ConfigValue) throws(ConfigProblem) -> any ClientInterceptor {
        PickFirst(shuffles: try options.member("shuffleAddressList")?.bool() ?? false)
    }

    private static func leastRequest(_ options: ConfigValue) throws(ConfigProblem) -> any ClientInterceptor {
        let choices = try options.member("choiceCount")?.integer(in: 2...Int(UInt32.max)) ?? 2
        return LeastRequest(choices: min(choices, 10))
    }

    private static func weightedRoundRobin(_ options: ConfigValue) throws(ConfigProblem) -> any ClientInterceptor {
        var rules = LoadWeightRules()
        if let time = try options.member("blackoutPeriod")?.duration(orZero: true) { rules.blackout = time }
        if let time = try options.member("weightExpirationPeriod")?.duration() { rules.expiration = time }
        if let time = try options.member("weightUpdatePeriod")?.duration() {
            rules.update = max(time, .milliseconds(100))
        }
        if let penalty = try options.member("errorUtilizationPenalty") {
            guard try penalty.number() >= 0 else { throw penalty.problem("must not be negative") }
            rules.errorPenalty = try penalty.number()
        }
        let period = try options.member("oobReportingPeriod")?.duration() ?? .seconds(10)
        let isOutOfBand = try options.member("enableOobLoadReport")?.bool() ?? false
        return WeightedRoundRobin(reports: isOutOfBand ? ORCAReports.outOfBand(every: period) : .perCall, rules: rules)
    }

    private static func ringHash(_ options: ConfigValue) throws(ConfigProblem) -> any ClientInterceptor {
        let sizes = 1...8_388_608
        let minimum = try options.member("minRingSize")?.integer(in: sizes) ?? 1024
        let maximum = try options.member("maxRingSize")?.integer(in: sizes) ?? sizes.upperBound
        guard minimum <= maximum else { throw options.problem("has a minRingSize above its maxRingSize") }
        // What a client has at most, whatever a document asks for.
        let cap = 4096
        return RingHash(by: try requestHash(options), ringSize: min(minimum, cap)...min(maximum, cap))
    }

    private static func requestHash(_ options: ConfigValue) throws(ConfigProblem) -> RequestHash {
        let header = try options.required("requestHashHeader")
        let key = try header.string().lowercased()
        guard !key.isEmpty else { throw header.problem("is empty") }
        return .metadata(key)
    }
}
