// SPDX-License-Identifier: Apache-2.0

/// A balancer's pick with what could be seen of its choice: which endpoints looked reachable right before the pick and
/// right after it.
///
/// An endpoint's name is its instance's, a blank, and what tells it from the instance's earlier processes.
public struct WitnessedPick: Sendable, Hashable {
    /// The endpoint that was picked.
    public var picked: String
    /// The endpoints that discovery knew.
    public var candidates: Set<String>
    /// Those of them whose last connection had not failed, looked at before the pick.
    public var reachableBefore: Set<String>
    /// The same after the pick.
    public var reachableAfter: Set<String>

    /// A pick.
    public init(picked: String, candidates: Set<String>, reachableBefore: Set<String>, reachableAfter: Set<String>) {
        self.picked = picked
        self.candidates = candidates
        self.reachableBefore = reachableBefore
        self.reachableAfter = reachableAfter
    }

    /// The instance behind an endpoint's name.
    public static func instance(of endpoint: String) -> String {
        String(endpoint.prefix { $0 != " " })
    }

    /// What a pick says about its balancer.
    public enum Meaning: Sendable, Hashable {
        /// It had the choice among these at least, and took one of them.
        case choice(among: Set<String>)
        /// It took an endpoint whose state changed meanwhile, or none could be reached: nothing can be said.
        case unsettled
        /// It took an endpoint that discovery did not know.
        case foreign
        /// It took an endpoint that could not be reached, while others could.
        case unreachable
    }

    /// States change at any moment, so nobody knows exactly what the balancer saw. But whatever looked reachable both
    /// before and after was among its choice; and of a uniform choice among many, those picks that fall on some of
    /// them are uniform among these. The looks do not depend on the pick, so leaving others out favours nobody.
    public var meaning: Meaning {
        guard candidates.contains(picked) else { return .foreign }
        let steady = reachableBefore.intersection(reachableAfter)
        if steady.contains(picked) { return .choice(among: steady) }
        if steady.isEmpty || reachableBefore.contains(picked) || reachableAfter.contains(picked) { return .unsettled }
        return .unreachable
    }
}

extension PickTally {
    /// Records a pick for what it says.
    public mutating func record(_ pick: WitnessedPick) {
        switch pick.meaning {
        case .choice(let steady): record(pick.picked, among: steady)
        case .unsettled: unsettled += 1
        case .foreign: foreign += 1
        case .unreachable: unreachable += 1
        }
    }
}
