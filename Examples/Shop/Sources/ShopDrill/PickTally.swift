// SPDX-License-Identifier: Apache-2.0

/// Counts which instance each call's first try went to, beside the instances that were known at that moment, and says
/// whether the choice was uniform among them.
public struct PickTally: Sendable, Hashable {
    /// The picks of all calls that had the same choice.
    private struct Group: Sendable, Hashable {
        var picks: [String: Int] = [:]
        var total: Int { picks.values.reduce(0, +) }
    }

    private var groups: [Set<String>: Group] = [:]
    /// Picks of an instance that was not among those known: always a fault.
    public internal(set) var foreign = 0
    /// Picks of an instance that could not be reached, while others could: always a fault.
    public internal(set) var unreachable = 0
    /// Picks of an instance whose state changed in that moment: they say nothing.
    public internal(set) var unsettled = 0

    /// No picks yet.
    public init() {}

    /// Records a pick.
    public mutating func record(_ instance: String, among known: some Sequence<String>) {
        let known = Set(known)
        guard known.contains(instance) else {
            foreign += 1
            return
        }
        groups[known, default: Group()].picks[instance, default: 0] += 1
    }

    /// How many picks were recorded, of whatever kind.
    public var total: Int { groups.values.reduce(foreign + unreachable + unsettled) { $0 + $1.total } }

    /// The test that each choice was uniform: the sum over all groups of calls that had the same instances to choose
    /// from. Groups with too few picks for the approximation (fewer than ``expectedAtLeast`` each) stay out.
    public var uniformity: ChiSquare {
        var statistic = 0.0
        var degrees = 0
        for (known, group) in groups where isTested(known, group) {
            let expected = Double(group.total) / Double(known.count)
            for instance in known {
                let difference = Double(group.picks[instance, default: 0]) - expected
                statistic += difference * difference / expected
            }
            degrees += known.count - 1
        }
        return ChiSquare(statistic: statistic, degreesOfFreedom: degrees)
    }

    /// How many picks ``uniformity`` rests on.
    public var tested: Int {
        groups.reduce(0) { $0 + (isTested($1.key, $1.value) ? $1.value.total : 0) }
    }

    /// How many picks each instance of a group has to expect for the group to be tested: the customary five.
    public static let expectedAtLeast = 5

    private func isTested(_ known: Set<String>, _ group: Group) -> Bool {
        known.count > 1 && group.total >= Self.expectedAtLeast * known.count
    }
}
