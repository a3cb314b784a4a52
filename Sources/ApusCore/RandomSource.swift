// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Random numbers for picks and jitter: a value, so that tests can seed it. Safe from any thread.
public protocol RandomSource: AnyObject, Sendable {
    /// 64 uniformly random bits.
    func next() -> UInt64
}

extension RandomSource {
    /// A uniformly random index below `bound`, without modulo bias; 0 when `bound` is 1 or less.
    /// Source: Lemire, *Fast Random Integer Generation in an Interval*.
    public func index(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// A uniformly random number in `0..<1`.
    public func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// SplitMix64 over an atomic counter: no lock, no system call, the same sequence for the same seed.
public final class SplitMixRandom: RandomSource {
    private let state: Atomic<UInt64>

    /// The sequence of a seed.
    public init(seed: UInt64) { state = Atomic(seed) }

    /// A sequence that nobody foresees, seeded by the system's generator.
    public convenience init() {
        var system = SystemRandomNumberGenerator()
        self.init(seed: system.next())
    }

    /// The process' own sequence.
    public static let shared = SplitMixRandom()

    /// The next 64 bits.
    public func next() -> UInt64 {
        var z = state.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
