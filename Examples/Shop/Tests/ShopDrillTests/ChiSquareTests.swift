// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ShopDrill

@Suite struct ChiSquareTests {
    // With two degrees of freedom the probability is exp(-x/2), with one it is erfc(sqrt(x/2)).
    @Test(arguments: [0.001, 0.1, 0.5, 1, 1.9, 2, 2.1, 3.84, 10, 30, 200])
    func `the probability is the closed form where there is one`(statistic: Double) {
        let one = ChiSquare(statistic: statistic, degreesOfFreedom: 1).probability
        let two = ChiSquare(statistic: statistic, degreesOfFreedom: 2).probability
        #expect(abs(one / erfc((statistic / 2).squareRoot()) - 1) < 1e-9)
        #expect(abs(two / exp(-statistic / 2) - 1) < 1e-9)
    }

    // For an even number of degrees 2m, Q is the Poisson sum of the first m terms.
    @Test(arguments: [4, 10, 40, 200], [1.0, 8.0, 35.0, 190.0, 260.0])
    func `the probability is the Poisson sum for even degrees`(degrees: Int, statistic: Double) {
        var term = exp(-statistic / 2)
        var sum = term
        for index in 1..<degrees / 2 {
            term *= statistic / 2 / Double(index)
            sum += term
        }
        let probability = ChiSquare(statistic: statistic, degreesOfFreedom: degrees).probability
        #expect(abs(probability / sum - 1) < 1e-9)
    }

    @Test func `no deviation and no freedom are certain`() {
        #expect(ChiSquare(statistic: 0, degreesOfFreedom: 3).probability == 1)
        #expect(ChiSquare(statistic: 0, degreesOfFreedom: 0).probability == 1)
    }

    @Test func `an absurd statistic is impossible, not a fault of arithmetic`() {
        #expect(ChiSquare(statistic: 1e6, degreesOfFreedom: 5).probability == 0)
    }
}
