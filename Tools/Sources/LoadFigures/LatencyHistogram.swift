// SPDX-License-Identifier: Apache-2.0

/// Counts durations in buckets that widen with their value: any percentile is right within 1.6 % from a nanosecond to
/// an hour, in constant memory. Source: the idea of HdrHistogram (Gil Tene).
public struct LatencyHistogram: Sendable, Hashable {
    // Values below 64 have a bucket each; from there on each power of two is cut into 64 buckets.
    private static let bits = 6
    private static let subBuckets = 1 << bits
    private static let highest: UInt64 = 3_600_000_000_000

    private var counts: [Int] = []
    /// How many durations were recorded.
    public private(set) var count = 0
    private var sum = 0.0
    private var least = UInt64.max
    private var most: UInt64 = 0

    /// An empty histogram.
    public init() {}

    /// The shortest, as it was; nil without any.
    public var minimum: Duration? { count > 0 ? .nanoseconds(least) : nil }
    /// The longest, as it was; nil without any.
    public var maximum: Duration? { count > 0 ? .nanoseconds(most) : nil }
    /// The mean; nil without any.
    public var mean: Duration? { count > 0 ? .nanoseconds(Int64(sum / Double(count))) : nil }

    /// Records a duration: negative ones as 0, those above an hour as an hour.
    public mutating func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let whole = UInt64(min(max(seconds, 0), 3600)) * 1_000_000_000
        let value = seconds < 0 ? 0 : min(whole + UInt64(max(attoseconds, 0) / 1_000_000_000), Self.highest)
        let bucket = Self.bucket(of: value)
        grow(to: bucket + 1)
        counts[bucket] += 1
        count += 1
        sum += Double(value)
        (least, most) = (min(least, value), max(most, value))
    }

    /// Adds what another one recorded.
    public mutating func merge(_ other: LatencyHistogram) {
        grow(to: other.counts.count)
        for (index, added) in other.counts.enumerated() { counts[index] += added }
        count += other.count
        sum += other.sum
        (least, most) = (min(least, other.least), max(most, other.most))
    }

    /// The duration that this share of the recorded ones does not exceed; nil when none was recorded.
    ///
    /// - Parameter share: 0.5 for the median, 0.99 for p99; held to 0...1.
    public func percentile(_ share: Double) -> Duration? {
        guard count > 0 else { return nil }
        let rank = max(1, Int((min(max(share, 0), 1) * Double(count)).rounded(.up)))
        var seen = 0
        for (index, counted) in counts.enumerated() {
            seen += counted
            if seen >= rank { return .nanoseconds(min(Self.upperEdge(ofBucket: index), most)) }
        }
        return maximum
    }

    /// How many durations there are up to each of the given ones, which rise, and beyond those before it; those beyond
    /// the last count for it.
    public func counts(upTo edges: [Duration]) -> [Int] {
        var result = [Int](repeating: 0, count: edges.count)
        var row = 0
        for (index, counted) in counts.enumerated() where counted > 0 {
            let value = Duration.nanoseconds(min(Self.upperEdge(ofBucket: index), most))
            while row < edges.count - 1, value > edges[row] { row += 1 }
            if row < result.count { result[row] += counted }
        }
        return result
    }

    private mutating func grow(to size: Int) {
        if counts.count < size { counts += [Int](repeating: 0, count: size - counts.count) }
    }

    private static func bucket(of value: UInt64) -> Int {
        let shift = max(0, UInt64.bitWidth - value.leadingZeroBitCount - bits - 1)
        return shift * subBuckets + Int(value >> UInt64(shift))
    }

    private static func upperEdge(ofBucket bucket: Int) -> UInt64 {
        let shift = max(0, bucket / subBuckets - 1)
        let start = UInt64(bucket - shift * subBuckets)
        return ((start + 1) << UInt64(shift)) - 1
    }
}
