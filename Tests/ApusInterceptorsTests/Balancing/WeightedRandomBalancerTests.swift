// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct WeightedRandomBalancerTests {
    private func picks(of handles: [EndpointHandle], seed: UInt64) -> Picks {
        let pick = WeightedPick(warmUp: nil, random: SplitMixRandom(seed: seed))
        let table = AliasTable(weights: EndpointWeights.relative(handles))
        return Picks(of: handles) { pick.pick(from: handles, table, avoiding: []) }
    }

    @Test(arguments: [[1], [1, 1], [1, 2, 3, 4, 0.5], [1000, 1], [0.001, 0.002, 0.003], [1e-300, 1e300]])
    func `each endpoint gets the share of its weight within chance`(_ weights: [Double]) {
        let expected = weights.map { $0 < 1e-200 ? 0 : $0 }
        #expect(picks(of: .weighing(weights), seed: 1).follow(expected))
    }

    @Test func `weights that are no positive numbers get nothing while others have some`() {
        let weights: [Double] = [2, 0, -1, .nan, .infinity, 1]
        #expect(picks(of: .weighing(weights), seed: 2).follow([2, 0, 0, 0, 0, 1]))
        #expect(picks(of: .weighing([0, -1, .nan, .infinity]), seed: 3).areUniform)
    }

    @Test func `an endpoint without a weight serves when the others cannot be reached`() {
        let handles: [EndpointHandle] = .weighing([1, 0, 5])
        handles[0].connectivity = .transientFailure
        handles[2].connectivity = .transientFailure
        #expect(picks(of: handles, seed: 4).counts == [0, 60_000, 0])
    }

    @Test func `the proportions of those that are left stay`() {
        let handles: [EndpointHandle] = .weighing([1, 6, 3])
        handles[1].connectivity = .transientFailure
        #expect(picks(of: handles, seed: 5).follow([1, 0, 3]))
    }

    @Test func `the proportions stay when nearly all of the weight is out of reach, too`() {
        let handles: [EndpointHandle] = .weighing([3000, 3, 0, 1, -1])
        handles[0].connectivity = .transientFailure
        #expect(picks(of: handles, seed: 6).follow([0, 3, 0, 1, 0]))
        for index in [1, 3] { handles[index].connectivity = .shutdown }
        let left = picks(of: handles, seed: 7)
        #expect(left.counts[0] == 0 && left.counts[2] + left.counts[4] == left.counts.reduce(0, +))
        #expect(Picks([left.counts[2], left.counts[4]]).areUniform)
    }
}

struct AliasTableTests {
    @Test(arguments: [2, 3, 10, 47])
    func `indices are drawn by their weights`(_ count: Int) {
        let random = SplitMixRandom(seed: UInt64(count))
        for _ in 0..<5 {
            let weights = (0..<count).map { _ in random.unit() + 0.01 }
            let table = AliasTable(weights: weights)
            var counts = [Int](repeating: 0, count: count)
            for _ in 0..<20_000 { counts[table.index(random)] += 1 }
            #expect(Picks(counts).follow(weights))
        }
    }

    @Test func `a weight of zero is never drawn, whatever the table's size`() {
        let random = SplitMixRandom(seed: 6)
        let weights = (0..<10_000).map { $0.isMultiple(of: 7) ? 0.0 : random.unit() + 0.1 }
        let table = AliasTable(weights: weights)
        for _ in 0..<50_000 { #expect(weights[table.index(random)] > 0) }
    }
}
