// SPDX-License-Identifier: Apache-2.0

/// JSON's numbers: digits, perhaps a fraction, perhaps an exponent. Source: RFC 8259, section 6.
enum JSONNumber {
    /// Where the number that begins at `start` ends; nil if none begins there.
    static func end(of text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var at = start
        func byte() -> UInt8? { at < text.count ? text[at] : nil }
        func digits() -> Int {
            let before = at
            while let digit = byte(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) { at += 1 }
            return at - before
        }
        if byte() == UInt8(ascii: "-") { at += 1 }
        let isZero = byte() == UInt8(ascii: "0")
        let count = digits()
        guard count > 0, !isZero || count == 1 else { return nil }
        if byte() == UInt8(ascii: ".") {
            at += 1
            guard digits() > 0 else { return nil }
        }
        if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
            at += 1
            if byte() == UInt8(ascii: "+") || byte() == UInt8(ascii: "-") { at += 1 }
            guard digits() > 0 else { return nil }
        }
        return at
    }

    /// Whether the text is a number and nothing else.
    static func isNumber(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { end(of: $0, from: 0) == $0.count }
    }

    /// The whole number that the text means, exactly: `1e3` and `5.0` are some, too. Nil for others.
    static func integer<T: FixedWidthInteger>(_ text: String) -> T? {
        if let value = T(text) { return value }
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false).flatMap {
            $0.split(separator: "E", maxSplits: 1, omittingEmptySubsequences: false)
        }
        guard let mantissa = parts.first, var exponent = parts.count > 1 ? Int(parts[1]) : 0 else { return nil }
        let isNegative = mantissa.first == "-"
        let unsigned = isNegative ? mantissa.dropFirst() : mantissa
        let halves = unsigned.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = halves.count > 1 ? halves[1] : ""
        var digits = (halves[0] + fraction).drop { $0 == "0" }
        guard !digits.isEmpty else { return 0 }
        guard (-1_000_000...1_000_000).contains(exponent) else { return nil }
        exponent -= fraction.count
        while exponent < 0, digits.last == "0" {
            digits.removeLast()
            exponent += 1
        }
        // No integer has more than 20 digits.
        guard exponent >= 0, digits.count + exponent <= 20 else { return nil }
        return T((isNegative ? "-" : "") + digits + String(repeating: "0", count: exponent))
    }
}
