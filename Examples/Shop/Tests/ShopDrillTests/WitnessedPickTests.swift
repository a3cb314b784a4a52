// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ShopDrill

@Suite struct WitnessedPickTests {
    func meaning(_ picked: String, before: Set<String>, after: Set<String>) -> WitnessedPick.Meaning {
        WitnessedPick(
            picked: picked, candidates: ["a", "b", "c"], reachableBefore: before, reachableAfter: after
        ).meaning
    }

    @Test func `a pick among endpoints that stay as they are is a choice among those that can be reached`() {
        #expect(meaning("a", before: ["a", "b", "c"], after: ["a", "b", "c"]) == .choice(among: ["a", "b", "c"]))
        #expect(meaning("a", before: ["a", "b"], after: ["a", "b"]) == .choice(among: ["a", "b"]))
    }

    @Test func `an endpoint whose state changes meanwhile is left out, picked or not`() {
        #expect(meaning("a", before: ["a", "b", "c"], after: ["a", "b"]) == .choice(among: ["a", "b"]))
        #expect(meaning("c", before: ["a", "b", "c"], after: ["a", "b"]) == .unsettled)
        #expect(meaning("c", before: ["a", "b"], after: ["a", "b", "c"]) == .unsettled)
    }

    @Test func `an endpoint that cannot be reached is a fault while others can, and else no choice`() {
        #expect(meaning("c", before: ["a", "b"], after: ["a", "b"]) == .unreachable)
        #expect(meaning("c", before: [], after: []) == .unsettled)
    }

    @Test func `an endpoint that nobody knew is a fault`() {
        #expect(meaning("z", before: ["a", "b"], after: ["a", "b"]) == .foreign)
    }

    @Test(arguments: 1...20)
    func `leaving out what changes does not bend a uniform choice`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var tally = PickTally()
        for _ in 0..<5000 {
            // c goes up and down at any moment: what the balancer saw of it is one thing, what is seen around is another.
            let up = (0..<3).map { _ in Bool.random(using: &generator) }
            let choice = up[1] ? ["a", "b", "c"] : ["a", "b"]
            let pick = WitnessedPick(
                picked: choice[Int.random(in: 0..<choice.count, using: &generator)], candidates: ["a", "b", "c"],
                reachableBefore: up[0] ? ["a", "b", "c"] : ["a", "b"],
                reachableAfter: up[2] ? ["a", "b", "c"] : ["a", "b"])
            // A state that changes there and back between two looks is not seen; here it would be common.
            if up[0] == up[2], up[1] != up[0] { continue }
            tally.record(pick)
        }
        #expect(tally.uniformity.probability > 1e-6)
        #expect(tally.unsettled > 0)
        #expect(tally.unreachable == 0)
    }

    @Test func `the instance stands first in an endpoint's name`() {
        #expect(WitnessedPick.instance(of: "orders-2 127.0.0.1:4711 99") == "orders-2")
    }
}
