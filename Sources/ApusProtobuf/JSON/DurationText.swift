// SPDX-License-Identifier: Apache-2.0

/// Durations as JSON writes them: `1.500s`. Source: google/protobuf/duration.proto.
enum DurationText {
    // 10,000 years.
    static let maximumSeconds: Int64 = 315_576_000_000

    static func isValid(seconds: Int64, nanos: Int32) -> Bool {
        guard (-maximumSeconds...maximumSeconds).contains(seconds), nanos.magnitude <= 999_999_999 else { return false }
        return seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0)
    }

    static func text(seconds: Int64, nanos: Int32) throws(JSONFailure) -> String {
        guard isValid(seconds: seconds, nanos: nanos) else {
            throw JSONFailure("a Duration has at most 10,000 years, and one sign")
        }
        let sign = seconds < 0 || nanos < 0 ? "-" : ""
        return "\(sign)\(seconds.magnitude)\(TimestampText.fraction(Int32(nanos.magnitude)))s"
    }

    static func parse(_ text: String) throws(JSONFailure) -> (seconds: Int64, nanos: Int32) {
        var scanner = DigitScanner(text)
        let sign: Int64 = scanner.take("-") ? -1 : 1
        guard let seconds = scanner.number(), let nanos = scanner.fraction(), scanner.take("s"), scanner.isAtEnd,
            seconds <= maximumSeconds
        else { throw JSONFailure("a duration like 1.5s is expected, of at most 10,000 years") }
        return (seconds * sign, nanos * Int32(sign))
    }
}
