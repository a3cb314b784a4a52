// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Decides which endpoints of a service are ejected, and for how long. Source: gRFC A50.
///
/// Calls of one channel may have different candidates: parts of a service, or the instances of one version. Each such
/// list is judged by itself; what is known of an endpoint is known to all of them.
struct OutlierCourse: Sendable {
    /// What an endpoint's calls of one interval came to.
    struct Count: Sendable {
        let id: UInt64
        let successes: Int
        let failures: Int

        var calls: Int { successes + failures }
        var successRate: Double { Double(successes) / Double(calls) }
    }

    struct Ejection: Equatable, Sendable {
        let id: UInt64
        let duration: Duration
    }

    private struct Record {
        /// How often the endpoint was ejected, less the intervals in which it was not.
        var multiplier = 0
        var until: MonotonicInstant?
        /// When it was last in a list, or failed.
        var seen: MonotonicInstant

        func isEjected(at now: MonotonicInstant) -> Bool { until.map { now < $0 } ?? false }
    }

    let rules: OutlierRules
    private var records: [UInt64: Record] = [:]

    init(_ rules: OutlierRules) { self.rules = rules }

    /// An interval is over: the counts of all endpoints of one list.
    mutating func sweep(_ counts: [Count], at now: MonotonicInstant, _ random: any RandomSource) -> [Ejection] {
        let listed = counts.map(\.id)
        var ejections: [Ejection] = []
        if let rule = rules.successRate {
            let counted = counts.filter { $0.calls >= max(1, rule.minimumCalls) }
            let limit = Self.limit(counted, rule)
            let suspects = counted.filter { $0.successRate < limit }
            eject(suspects, among: listed, rule.enforcement, at: now, random, &ejections)
        }
        if let rule = rules.failurePercentage {
            let counted = counts.filter { $0.calls >= max(1, rule.minimumCalls) }
            let suspects = counted.filter { $0.failures * 100 > max(0, min(rule.threshold, 100)) * $0.calls }
            let enough = counted.count >= max(1, rule.minimumHosts)
            eject(enough ? suspects : [], among: listed, rule.enforcement, at: now, random, &ejections)
        }
        soften(listed, at: now)
        forget(at: now)
        return ejections
    }

    /// An endpoint of a list failed this often in a row.
    mutating func failedInRow(
        _ failures: Int, id: UInt64, among listed: [UInt64], at now: MonotonicInstant
    ) -> Ejection? {
        guard let limit = rules.consecutiveFailures, failures >= max(1, limit) else { return nil }
        return eject(id, among: listed, at: now)
    }

    private static func limit(_ counts: [Count], _ rule: OutlierRules.SuccessRate) -> Double {
        guard counts.count >= max(1, rule.minimumHosts) else { return 0 }
        let number = Double(counts.count)
        let mean = counts.reduce(0) { $0 + $1.successRate } / number
        let variance = counts.reduce(0) { $0 + ($1.successRate - mean) * ($1.successRate - mean) } / number
        return mean - variance.squareRoot() * rule.deviations
    }

    private mutating func eject(
        _ suspects: [Count], among listed: [UInt64], _ enforcement: Int, at now: MonotonicInstant,
        _ random: any RandomSource, _ ejections: inout [Ejection]
    ) {
        for suspect in suspects where random.index(below: 100) < enforcement {
            if let ejection = eject(suspect.id, among: listed, at: now) { ejections.append(ejection) }
        }
    }

    private mutating func eject(_ id: UInt64, among listed: [UInt64], at now: MonotonicInstant) -> Ejection? {
        var record = records[id] ?? Record(seen: now)
        guard !record.isEjected(at: now) else { return nil }
        let total = listed.count
        let ejected = listed.count { records[$0]?.isEjected(at: now) ?? false }
        guard ejected * 100 < max(0, min(rules.maximumEjectedPercent, 100)) * total, ejected + 1 < total else {
            return nil
        }
        record.multiplier += 1
        let longest = max(rules.baseEjection, rules.longestEjection)
        let base = Duration.nanoseconds(max(0, rules.baseEjection.saturatedNanoseconds))
        let duration = min(base * min(record.multiplier, 1_000_000), longest)
        record.until = now.advanced(by: duration)
        record.seen = now
        records[id] = record
        return Ejection(id: id, duration: duration)
    }

    // Each interval without an ejection makes the next one shorter.
    private mutating func soften(_ listed: [UInt64], at now: MonotonicInstant) {
        guard !records.isEmpty else { return }
        for id in listed {
            guard var record = records[id] else { continue }
            record.seen = now
            if !record.isEjected(at: now) { record.multiplier -= 1 }
            records[id] = record.multiplier > 0 ? record : nil
        }
    }

    // What is in this list no more may be in another, whose interval is not over yet; what is in none is soon old.
    private mutating func forget(at now: MonotonicInstant) {
        let memory = max(rules.longestEjection, rules.interval * 2)
        records = records.filter { $0.value.isEjected(at: now) || now < $0.value.seen.advanced(by: memory) }
    }
}
