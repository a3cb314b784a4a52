// SPDX-License-Identifier: Apache-2.0

/// How much a socket may read until others had their turn.
struct TurnAllowance {
    /// The most for one turn.
    var bytes = 256 * 1024
    private var turn = 0
    private var taken = 0

    /// What may still be read.
    @inline(__always)
    mutating func room(in turn: Int) -> Int {
        if turn != self.turn {
            self.turn = turn
            taken = 0
        }
        return max(0, bytes - taken)
    }

    @inline(__always)
    mutating func take(_ count: Int) { taken += count }
}
