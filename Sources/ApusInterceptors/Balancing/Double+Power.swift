// SPDX-License-Identifier: Apache-2.0

// The standard library has neither powers nor logarithms; the C library's would be an import for two balancers.
extension Double {
    private static let ln2 = 0.693_147_180_559_945_3

    /// This number, which is positive and finite, to a power; to 12 digits.
    func raised(to exponent: Double) -> Double { (binaryLogarithm * exponent).powerOfTwo }

    /// e to the power of this number; to 12 digits.
    var exponential: Double { (self / Self.ln2).powerOfTwo }

    /// 2 to the power of this number; to 12 digits.
    var powerOfTwo: Double {
        guard self > -1075 else { return 0 }
        guard self < 1024 else { return isNaN ? self : .infinity }
        let whole = rounded()
        let x = (self - whole) * Self.ln2
        // |x| is at most 0.35: what the series leaves out is below 1e-15.
        var (sum, term) = (1.0, 1.0)
        for n in 1...12 {
            term *= x / Double(n)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(whole), significand: sum)
    }

    private var binaryLogarithm: Double {
        var (mantissa, power) = (significand, Double(exponent))
        // In sqrt(1/2)...sqrt(2), where the series is short.
        if mantissa > 1.414_213_562_373_095_1 { (mantissa, power) = (mantissa / 2, power + 1) }
        let t = (mantissa - 1) / (mantissa + 1)
        // ln m = 2 (t + t³/3 + t⁵/5 …), and |t| is at most 0.18.
        var (sum, term) = (0.0, t)
        for n in 0..<10 {
            sum += term / Double(2 * n + 1)
            term *= t * t
        }
        return power + 2 * sum / Self.ln2
    }
}
