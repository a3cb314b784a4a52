// SPDX-License-Identifier: Apache-2.0

/// Gives turns in proportion to weights from one counter alone, so that any number of threads can take them: each
/// endpoint is asked once in a round, and passes in so many rounds as its weight lies below the heaviest.
/// Source: the static stride scheduler of gRPC's weighted_round_robin (gRFC A58).
enum StrideSchedule {
    private static let heaviest = Double(UInt16.max)
    // An endpoint whose weight is farther from the mean counts as if it were not: no report can take nearly all calls,
    // or get nearly none.
    private static let ratio = 10.0

    /// Weights in whole numbers, the largest 65,535. Those of zero, which are not known, have the mean of the others;
    /// all are the same while fewer than two are known.
    static func scaled(_ weights: [Double]) -> [UInt16] {
        let known = weights.filter { $0 > 0 }
        let mean = known.reduce(0) { $0 + $1 / Double(known.count) }
        guard known.count >= 2, mean > 0, mean.isFinite else { return weights.map { _ in .max } }
        let held = weights.map { $0 > 0 ? min(max($0, mean / ratio), mean * ratio) : mean }
        let largest = held.max() ?? mean
        return held.map { UInt16(max(1, ($0 / largest * heaviest).rounded())) }
    }

    /// Whether the endpoint of this weight takes its turn, the number `sequence` of all turns of `count` endpoints.
    static func isTaken(_ sequence: UInt64, of count: Int, weight: UInt16) -> Bool {
        let (round, index) = sequence.quotientAndRemainder(dividingBy: UInt64(count))
        let (weight, modulus) = (UInt64(weight), UInt64(UInt16.max))
        // The index keeps endpoints of one weight from passing in the same round.
        let phase = (weight &* round &+ index &* (modulus / 2)) % modulus
        return phase >= modulus - weight
    }
}
