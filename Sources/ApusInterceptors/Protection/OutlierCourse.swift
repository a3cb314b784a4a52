// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Decides which endpoints of a service are ejected, and for how long. Source: gRFC A50.
///
/// Calls of one channel may have different candidates: parts of a service, or the instances of one version. Lists may
/// overlap, as where a client's own zone spills over into all zones. Each list is judged by itself, all of them on what
/// their endpoints did in the same interval, whichever list's calls that were.
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

        func isEjected(at now: MonotonicInstant) -> Bool { until.map { now < $0 } ?? false }
    }

    let rules: OutlierRules
    private var records: [UInt64: Record] = [:]

    init(_ rules: OutlierRules) { self.rules = rules }

    /// An interval is over: the counts of all endpoints of each list that had calls.
    mutating func sweep(_ lists: [[Count]], at now: MonotonicInstant, _ random: any RandomSource) -> [Ejection] {
        var ejections: [Ejection] = []
        if let rule = rules.successRate {
            let rates = lists.map { list in Self.outliers(list, rule) }
            eject(rates, of: lists, rule.enforcement, at: now, random, &ejections)
        }
        if let rule = rules.failurePercentage {
            let failing = lists.map { list in Self.outliers(list, rule) }
            eject(failing, of: lists, rule.enforcement, at: now, random, &ejections)
        }
        soften(at: now)
        return ejections
    }

    /// An endpoint of a list failed this often in a row.
    mutating func failedInRow(
        _ failures: Int, id: UInt64, among listed: [UInt64], at now: MonotonicInstant
    ) -> Ejection? {
        guard let limit = rules.consecutiveFailures, failures >= max(1, limit) else { return nil }
        return eject(id, among: listed, at: now)
    }

    private static func outliers(_ list: [Count], _ rule: OutlierRules.SuccessRate) -> [Count] {
        let counted = list.filter { $0.calls >= max(1, rule.minimumCalls) }
        guard counted.count >= max(1, rule.minimumHosts) else { return [] }
        let number = Double(counted.count)
        let mean = counted.reduce(0) { $0 + $1.successRate } / number
        let variance = counted.reduce(0) { $0 + ($1.successRate - mean) * ($1.successRate - mean) } / number
        let limit = mean - variance.squareRoot() * rule.deviations
        return counted.filter { $0.successRate < limit }
    }

    private static func outliers(_ list: [Count], _ rule: OutlierRules.FailurePercentage) -> [Count] {
        let counted = list.filter { $0.calls >= max(1, rule.minimumCalls) }
        guard counted.count >= max(1, rule.minimumHosts) else { return [] }
        return counted.filter { $0.failures * 100 > max(0, min(rule.threshold, 100)) * $0.calls }
    }

    private mutating func eject(
        _ outliers: [[Count]], of lists: [[Count]], _ enforcement: Int, at now: MonotonicInstant,
        _ random: any RandomSource, _ ejections: inout [Ejection]
    ) {
        // Drawn once for an endpoint, not in each of its lists again: the share would grow with their number.
        var fates: [UInt64: Bool] = [:]
        for (list, outliers) in zip(lists, outliers) {
            let listed = list.map(\.id)
            for outlier in outliers {
                let isMeant = fates[outlier.id] ?? (random.index(below: 100) < enforcement)
                fates[outlier.id] = isMeant
                guard isMeant, let ejection = eject(outlier.id, among: listed, at: now) else { continue }
                ejections.append(ejection)
            }
        }
    }

    private mutating func eject(_ id: UInt64, among listed: [UInt64], at now: MonotonicInstant) -> Ejection? {
        var record = records[id] ?? Record()
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
        records[id] = record
        return Ejection(id: id, duration: duration)
    }

    // Each interval without an ejection makes the next one shorter, until nothing is left to remember.
    private mutating func soften(at now: MonotonicInstant) {
        guard !records.isEmpty else { return }
        records = records.compactMapValues { record in
            guard !record.isEjected(at: now) else { return record }
            var record = record
            record.multiplier -= 1
            return record.multiplier > 0 ? record : nil
        }
    }
}
