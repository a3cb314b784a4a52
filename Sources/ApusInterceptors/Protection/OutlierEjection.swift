// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Keeps calls away from endpoints that fail far more often than the others of their service, for a while.
///
/// Stands behind the balancer, where calls have their endpoint. An ejected endpoint is skipped by every balancer that
/// reads ``EndpointHandle/isEjected``. Counting takes no lock; once in an interval the call that comes first looks at
/// all endpoints. Where calls have different candidates, as behind ``ZonePreference`` or ``VersionRouting``, each list
/// of them is judged by itself on what its endpoints did in that interval, in whoever's calls. Source: gRFC A50.
public struct OutlierEjection: ClientInterceptor {
    private let watch: OutlierWatch

    /// Ejects outliers.
    ///
    /// - Parameters:
    ///   - random: decides when less than all outliers are ejected.
    ///   - clock: the clock of the channel.
    public init(
        rules: OutlierRules = OutlierRules(), random: any RandomSource = SplitMixRandom.shared,
        clock: any MonotonicClock = SystemClock()
    ) {
        watch = OutlierWatch(rules, random, clock)
    }

    /// Sends the call and counts its end.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        guard let handle = call.endpoint, let candidates = call.candidates else { return try await next(call) }
        let tally = watch.tally(of: handle)
        watch.callStarted(among: candidates, call.observer)
        do {
            let response = try await next(call)
            guard case .stream(let source) = response.body else {
                tally.succeeded()
                return response
            }
            source.onEnd { [watch, observer = call.observer] in watch.ended(tally, $0, of: candidates, observer) }
            return response
        } catch {
            watch.ended(tally, RPCError(wrapping: error), of: candidates, call.observer)
            throw error
        }
    }
}

extension OutlierEjection: EndingPolicy {
    package func end() { watch.end() }
}

extension OutlierEjection: DescribedPolicy {
    /// Whom it ejects, for how long, and how many at most.
    public var policyValues: [PolicyValue] {
        let rules = watch.rules
        return [
            PolicyValue("interval", rules.interval), PolicyValue("baseEjection", rules.baseEjection),
            PolicyValue("longestEjection", rules.longestEjection),
            PolicyValue("maximumEjectedPercent", rules.maximumEjectedPercent),
            PolicyValue("consecutiveFailures", rules.consecutiveFailures),
            PolicyValue(
                "successRate",
                rules.successRate.map {
                    "\($0.deviations) deviations, enforced \($0.enforcement) %, of \($0.minimumHosts) hosts with "
                        + "\($0.minimumCalls) calls"
                }),
            PolicyValue(
                "failurePercentage",
                rules.failurePercentage.map {
                    "\($0.threshold) %, enforced \($0.enforcement) %, of \($0.minimumHosts) hosts with "
                        + "\($0.minimumCalls) calls"
                }),
            PolicyValue("faults", rules.faults),
        ]
    }
}
