// SPDX-License-Identifier: Apache-2.0

/// `grpc-timeout`: at most 8 digits and one of the units H M S m u n. Source: gRPC over HTTP/2, *Timeout*.
package enum TimeoutEncoding {
    private static let units: [(letter: UInt8, nanoseconds: Int64)] = [
        (UInt8(ascii: "n"), 1), (UInt8(ascii: "u"), 1000), (UInt8(ascii: "m"), 1_000_000),
        (UInt8(ascii: "S"), 1_000_000_000), (UInt8(ascii: "M"), 60_000_000_000), (UInt8(ascii: "H"), 3_600_000_000_000),
    ]

    /// The time left as text, rounded up to the finest unit that fits 8 digits. Not positive becomes `0n`.
    package static func encode(nanoseconds: Int64) -> [UInt8] {
        let left = max(nanoseconds, 0)
        for unit in units {
            let (quotient, rest) = left.quotientAndRemainder(dividingBy: unit.nanoseconds)
            let value = quotient + (rest > 0 ? 1 : 0)
            if value <= 99_999_999 { return text(of: value, unit.letter) }
        }
        // 292 years are 2.6 million hours: every Int64 fits.
        return Array("99999999H".utf8)
    }

    /// A time rounded up by at most a hundredth of it, so that calls with the same timeout send the same text although
    /// some of the time has passed when they leave.
    package static func rounded(nanoseconds: Int64) -> Int64 {
        var step: Int64 = 1
        while step <= nanoseconds / 1000 { step *= 10 }
        let rest = nanoseconds % step
        guard nanoseconds > 0, rest > 0 else { return nanoseconds }
        return nanoseconds.addingReportingOverflow(step - rest).overflow ? .max : nanoseconds + (step - rest)
    }

    // Without a String in between: each call has one.
    private static func text(of value: Int64, _ unit: UInt8) -> [UInt8] {
        var count = 1
        var bound: Int64 = 10
        while value >= bound {
            count += 1
            bound *= 10
        }
        return [UInt8](unsafeUninitializedCapacity: count + 1) { buffer, initialized in
            buffer[count] = unit
            var rest = value
            for index in stride(from: count - 1, through: 0, by: -1) {
                buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            initialized = count + 1
        }
    }

    /// Nanoseconds, held at the largest `Int64`; nil for anything that is no timeout.
    package static func decode(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count >= 2, text.count <= 9, let letter = text.last else { return nil }
        guard let unit = units.first(where: { $0.letter == letter }) else { return nil }
        var value: Int64 = 0
        for byte in text.dropLast() {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit.nanoseconds)
        return overflow ? .max : product
    }
}
