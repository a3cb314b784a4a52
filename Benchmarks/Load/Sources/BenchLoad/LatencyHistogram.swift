// SPDX-License-Identifier: Apache-2.0

/// Counts of latencies, 64 steps for each power of two: no percentile is off by more than 1.6 %.
struct LatencyHistogram {
    private static let bits = 6
    private static let steps = 1 << bits

    private var counts = [UInt32](repeating: 0, count: (64 - bits + 1) << bits)
    private(set) var total = 0

    mutating func record(_ nanoseconds: UInt64) {
        counts[Self.index(of: nanoseconds)] &+= 1
        total &+= 1
    }

    mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        total += other.total
    }

    /// The latency in microseconds that a share of all do not exceed; nil without any.
    func microseconds(at share: Double) -> Double? {
        guard total > 0 else { return nil }
        let rank = min(Int(share * Double(total)), total - 1)
        var seen = 0
        for (index, count) in counts.enumerated() {
            seen += Int(count)
            if seen > rank { return Self.middle(of: index) / 1000 }
        }
        return nil
    }

    private static func index(of value: UInt64) -> Int {
        guard value >= UInt64(steps) else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount - bits
        return (exponent + 1) << bits + Int(value >> UInt64(exponent)) & (steps - 1)
    }

    private static func middle(of index: Int) -> Double {
        let exponent = index >> bits
        guard exponent > 0 else { return Double(index) }
        let width = Double(UInt64(1) << UInt64(exponent - 1))
        return Double(index & (steps - 1) + steps) * width + (width - 1) / 2
    }
}
