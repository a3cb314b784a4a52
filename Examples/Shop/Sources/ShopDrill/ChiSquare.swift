// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The outcome of a chi-square test: how far counts are from what was expected of them.
public struct ChiSquare: Sendable, Hashable {
    /// The sum of (observed - expected)² / expected.
    public let statistic: Double
    /// How many of the counts were free.
    public let degreesOfFreedom: Int

    /// A statistic.
    public init(statistic: Double, degreesOfFreedom: Int) {
        self.statistic = statistic
        self.degreesOfFreedom = degreesOfFreedom
    }

    /// How probable it is that chance alone gives this statistic or a larger one; 1 without degrees of freedom.
    public var probability: Double {
        guard degreesOfFreedom > 0 else { return 1 }
        return upperIncompleteGamma(Double(degreesOfFreedom) / 2, statistic / 2)
    }
}

/// Q(a, x), the regularized upper incomplete gamma function, for a > 0; 1 for x ≤ 0.
/// Source: Abramowitz and Stegun, 6.5.29 (the series) and 6.5.31 (the continued fraction).
func upperIncompleteGamma(_ a: Double, _ x: Double) -> Double {
    guard x > 0 else { return 1 }
    // Each form converges quickly on its side.
    return x < a + 1 ? 1 - lowerSeries(a, x) : upperFraction(a, x)
}

private let precision = 1e-15

private func commonFactor(_ a: Double, _ x: Double) -> Double { exp(a * log(x) - x - lgamma(a)) }

private func lowerSeries(_ a: Double, _ x: Double) -> Double {
    var term = 1 / a
    var sum = term
    var n = a
    while term > sum * precision {
        n += 1
        term *= x / n
        sum += term
    }
    return sum * commonFactor(a, x)
}

// Evaluated forwards by the method of Lentz: each step multiplies the value by the ratio of two convergents.
private func upperFraction(_ a: Double, _ x: Double) -> Double {
    var b = x + 1 - a
    var c = Double.greatestFiniteMagnitude
    var d = 1 / b
    var value = d
    for step in 1...10_000 {
        let numerator = Double(step) * (a - Double(step))
        b += 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        value *= c * d
        if abs(c * d - 1) < precision { break }
    }
    return value * commonFactor(a, x)
}
