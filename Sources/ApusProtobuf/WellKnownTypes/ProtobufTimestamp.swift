// SPDX-License-Identifier: Apache-2.0

extension ProtobufTimestamp {
    /// The time that the system's clock shows.
    public static var now: ProtobufTimestamp {
        let (seconds, nanos) = wallClock()
        return ProtobufTimestamp(seconds: seconds, nanos: nanos)
    }

    /// The time so long after 1970-01-01T00:00:00Z, or before it; cut to billionths of a second.
    public init(since1970 duration: Duration) {
        let (seconds, nanos) = duration.secondsAndNanos
        self =
            nanos < 0 ? Self(seconds: seconds &- 1, nanos: nanos + 1_000_000_000) : Self(seconds: seconds, nanos: nanos)
    }

    /// How long after 1970-01-01T00:00:00Z this is.
    public var since1970: Duration { .seconds(seconds) + .nanoseconds(nanos) }

    /// The time that a text like `1972-01-01T10:00:20.021Z` names; nil for other text.
    /// Source: RFC 3339.
    public init?(_ text: String) {
        guard let (seconds, nanos) = try? TimestampText.parse(text) else { return nil }
        self.init(seconds: seconds, nanos: nanos)
    }

    /// The time as text, such as `1972-01-01T10:00:20.021Z`; nil outside of the years 1 to 9999.
    public var text: String? { try? TimestampText.text(seconds: seconds, nanos: nanos) }

    /// A later time, or an earlier one, held at the ends of the range.
    public static func + (time: ProtobufTimestamp, duration: Duration) -> ProtobufTimestamp {
        let (seconds, nanos) = duration.secondsAndNanos
        let carry = (Int64(time.nanos) + Int64(nanos)).quotientAndRemainder(dividingBy: 1_000_000_000)
        let rest = carry.remainder < 0 ? carry.remainder + 1_000_000_000 : carry.remainder
        let whole = carry.remainder < 0 ? carry.quotient - 1 : carry.quotient
        let (sum, isOver) = time.seconds.addingReportingOverflow(seconds)
        let (total, isOverToo) = sum.addingReportingOverflow(whole)
        let end: Int64 = seconds < 0 ? .min : .max
        return ProtobufTimestamp(seconds: isOver || isOverToo ? end : total, nanos: Int32(truncatingIfNeeded: rest))
    }

    /// How much later `left` is.
    public static func - (left: ProtobufTimestamp, right: ProtobufTimestamp) -> Duration {
        left.since1970 - right.since1970
    }
}

extension ProtobufTimestamp: Comparable {
    /// Whether `left` is earlier.
    public static func < (left: ProtobufTimestamp, right: ProtobufTimestamp) -> Bool {
        (left.seconds, left.nanos) < (right.seconds, right.nanos)
    }
}

extension ProtobufDuration {
    /// The duration, cut to billionths of a second.
    public init(_ duration: Duration) {
        let (seconds, nanos) = duration.secondsAndNanos
        self.init(seconds: seconds, nanos: nanos)
    }
}

extension Duration {
    /// The duration in a message.
    public init(_ duration: ProtobufDuration) { self = .seconds(duration.seconds) + .nanoseconds(duration.nanos) }

    fileprivate var secondsAndNanos: (Int64, Int32) {
        (components.seconds, Int32(truncatingIfNeeded: components.attoseconds / 1_000_000_000))
    }
}
