// SPDX-License-Identifier: Apache-2.0

public import Apus

/// A random source that is not fair: one number in four is a small one, so that the first instance of a list gets
/// more than its share. With it the drill has to fail.
public final class LoadedDice: RandomSource {
    private let fair: any RandomSource

    /// Dice that are loaded on top of fair ones.
    public init(_ fair: any RandomSource = SplitMixRandom.shared) { self.fair = fair }

    /// The next number.
    public func next() -> UInt64 {
        let number = fair.next()
        return number % 4 == 0 ? number >> 3 : number
    }
}
