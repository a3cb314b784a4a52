// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Draws indices with given probabilities in constant time: each column of the table belongs to one index up to a mark,
/// and to another one above it. Source: Vose, *A Linear Algorithm for Generating Random Numbers with a Given
/// Distribution*.
final class AliasTable: Sendable {
    private let marks: [Double]
    private let others: [Int32]

    /// A table for weights of which none is negative and one at least is positive; at most as many as an `Int32` counts.
    init(weights: [Double]) {
        let mean = weights.reduce(0, +) / Double(max(1, weights.count))
        var marks = weights.map { $0 / mean }
        var others = (0..<weights.count).map { Int32(clamping: $0) }
        var poor: [Int] = []
        var rich: [Int] = []
        for (index, mark) in marks.enumerated() { if mark < 1 { poor.append(index) } else { rich.append(index) } }
        // A rich one fills a poor one's column, and is poor or rich by what it has left.
        while let giver = rich.last, let taker = poor.popLast() {
            others[taker] = Int32(clamping: giver)
            marks[giver] -= 1 - marks[taker]
            if marks[giver] < 1 { poor.append(rich.removeLast()) }
        }
        // What is left misses 1 by a rounding error.
        for index in poor + rich { marks[index] = 1 }
        self.marks = marks
        self.others = others
    }

    /// An index, with the probability of its weight.
    func index(_ random: any RandomSource) -> Int {
        let column = random.index(below: marks.count)
        return random.unit() < marks[column] ? column : Int(others[column])
    }
}
