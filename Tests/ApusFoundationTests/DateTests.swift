// SPDX-License-Identifier: Apache-2.0

import ApusFoundation
import ApusProtobuf
import Foundation
import Testing

/// Times and durations from and to Foundation's.
struct DateTests {
    @Test(arguments: [
        (0.0, 978_307_200, 0), (-978_307_200.0, 0, 0), (0.5, 978_307_200, 500_000_000),
        (-0.25, 978_307_199, 750_000_000), (-978_307_200.75, -1, 250_000_000), (1e-12, 978_307_200, 0),
        (-1e-12, 978_307_200, 0),
    ])
    func `dates as times`(sinceReferenceDate interval: Double, seconds: Int64, nanos: Int32) {
        let timestamp = ProtobufTimestamp(Date(timeIntervalSinceReferenceDate: interval))
        #expect(timestamp == ProtobufTimestamp(seconds: seconds, nanos: nanos))
        #expect(abs(timestamp.date.timeIntervalSinceReferenceDate - interval) < 1e-9)
        #expect(Date(timestamp) == timestamp.date)
    }

    @Test func `dates outside of what a message can say are held at its ends`() {
        let end = ProtobufTimestamp(seconds: 253_402_300_799, nanos: 999_999_999)
        let start = ProtobufTimestamp(seconds: -62_135_596_800)
        for interval in [1e11 * 3, 1e300, .infinity] {
            #expect(ProtobufTimestamp(Date(timeIntervalSinceReferenceDate: interval)) == end)
            #expect(ProtobufTimestamp(Date(timeIntervalSinceReferenceDate: -interval)) == start)
        }
        #expect(ProtobufTimestamp(Date(timeIntervalSinceReferenceDate: .nan)) == ProtobufTimestamp())
        #expect(ProtobufTimestamp(.distantPast).text == "0001-01-01T00:00:00Z")
        #expect(ProtobufTimestamp(.distantFuture).text == "4001-01-01T00:00:00Z")
    }

    @Test func `times from outside, however odd, have a date`() {
        for seconds in [Int64.min, .max] {
            for nanos in [Int32.min, .max] {
                #expect(!ProtobufTimestamp(seconds: seconds, nanos: nanos).date.timeIntervalSince1970.isNaN)
            }
        }
    }

    @Test(arguments: [
        (0.0, 0, 0), (1.5, 1, 500_000_000), (-1.5, -1, -500_000_000), (-0.25, 0, -250_000_000),
        (0.999_999_999_9, 1, 0), (.infinity, 315_576_000_000, 0), (-.infinity, -315_576_000_000, 0), (.nan, 0, 0),
    ])
    func `intervals as durations`(interval: TimeInterval, seconds: Int64, nanos: Int32) {
        let duration = ProtobufDuration(timeInterval: interval)
        #expect(duration == ProtobufDuration(seconds: seconds, nanos: nanos))
        if interval.magnitude < 10 { #expect(abs(duration.timeInterval - interval) < 1e-9) }
    }
}
