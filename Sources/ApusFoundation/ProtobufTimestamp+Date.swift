// SPDX-License-Identifier: Apache-2.0

public import ApusProtobuf

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension ProtobufTimestamp {
    /// The date, to the nearest billionth of a second; held at the ends of the years 1 to 9999. A date that is not a
    /// number is 1970-01-01.
    public init(_ date: Date) {
        guard !date.timeIntervalSinceReferenceDate.isNaN else {
            self.init()
            return
        }
        let (seconds, nanos) = parts(date.timeIntervalSinceReferenceDate)
        let time = seconds.addingReportingOverflow(Self.referenceDate).partialValue
        switch time {
        case ..<Self.earliest: self.init(seconds: Self.earliest)
        case Self.earliest...Self.latest: self.init(seconds: time, nanos: nanos)
        default: self.init(seconds: Self.latest, nanos: 999_999_999)
        }
    }

    /// The time as a date: a `Date` counts from 2001, and tells today's times apart to 0.1 µs.
    public var date: Date {
        let seconds = Double(seconds.subtractingReportingOverflow(Self.referenceDate).partialValue)
        return Date(timeIntervalSinceReferenceDate: seconds + Double(nanos) / 1_000_000_000)
    }

    /// 2001-01-01T00:00:00Z.
    private static let referenceDate: Int64 = 978_307_200
    /// 0001-01-01T00:00:00Z. Source: google/protobuf/timestamp.proto.
    private static let earliest: Int64 = -62_135_596_800
    /// 9999-12-31T23:59:59Z.
    private static let latest: Int64 = 253_402_300_799
}

extension Date {
    /// The time in a message.
    public init(_ timestamp: ProtobufTimestamp) { self = timestamp.date }
}

extension ProtobufDuration {
    /// The interval, to the nearest billionth of a second; held at 10,000 years, the most that a message may say. An
    /// interval that is not a number is zero.
    public init(timeInterval: TimeInterval) {
        var (seconds, nanos) = parts(timeInterval.magnitude)
        if seconds >= Self.longest { (seconds, nanos) = (Self.longest, 0) }
        self.init(seconds: timeInterval < 0 ? -seconds : seconds, nanos: timeInterval < 0 ? -nanos : nanos)
    }

    /// The duration in seconds.
    public var timeInterval: TimeInterval { Double(seconds) + Double(nanos) / 1_000_000_000 }

    /// Source: google/protobuf/duration.proto.
    private static let longest: Int64 = 315_576_000_000
}

/// Whole seconds, rounded down, and the billionths above them. Far outside of what messages can say it is held there.
private func parts(_ interval: TimeInterval) -> (seconds: Int64, nanos: Int32) {
    guard !interval.isNaN else { return (0, 0) }
    let bounded = min(max(interval, -1e12), 1e12)
    let whole = bounded.rounded(.down)
    let nanos = Int64(((bounded - whole) * 1_000_000_000).rounded())
    return nanos < 1_000_000_000 ? (Int64(whole), Int32(nanos)) : (Int64(whole) + 1, 0)
}
