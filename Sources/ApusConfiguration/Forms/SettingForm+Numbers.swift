// SPDX-License-Identifier: Apache-2.0

#if Configuration
    extension SettingForm<Int> {
        /// A number of things.
        static func count(_ range: ClosedRange<Int>) -> SettingForm {
            SettingForm(expected: "a number\(limits(range) { "\($0)" })") { text in
                Int(text).flatMap { range.contains($0) ? $0 : nil }
            } write: { value in
                "\(value)"
            }
        }

        /// A number of bytes, with or without a unit.
        static func bytes(_ range: ClosedRange<Int>) -> SettingForm {
            SettingForm(expected: "a size\(limits(range, bytes))", examples: "65536, 64KiB, 4MiB or 1GiB") { text in
                bytes(text).flatMap { range.contains($0) ? $0 : nil }
            } write: { value in
                bytes(value)
            }
        }

        private static let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)]

        private static func bytes(_ text: String) -> Int? {
            for (name, factor) in units where text.hasSuffix(name) {
                guard let number = Int(text.dropLast(name.count)) else { return nil }
                let (product, isTooMuch) = number.multipliedReportingOverflow(by: factor)
                return isTooMuch ? nil : product
            }
            return Int(text)
        }

        private static func bytes(_ value: Int) -> String {
            guard value != 0, let (name, factor) = units.first(where: { value % $0.1 == 0 }), name != "B" else {
                return "\(value)"
            }
            return "\(value / factor)\(name)"
        }

        private static func limits(_ range: ClosedRange<Int>, _ write: (Int) -> String) -> String {
            switch (range.lowerBound, range.upperBound) {
            case (let least, .max): " from \(write(least))"
            case (let least, let most): " from \(write(least)) to \(write(most))"
            }
        }
    }

    extension SettingForm<Duration> {
        /// A time with its unit; seconds without one.
        static func duration(from least: Duration, to most: Duration? = nil) -> SettingForm {
            let limits = "from \(written(least))" + (most.map { " to \(written($0))" } ?? "")
            return SettingForm(expected: "a time \(limits)", examples: "1500ms, 10s, 5m, 2h or 10, which is seconds") {
                text in
                guard let value = read(text), value >= least, value <= most ?? value else { return nil }
                return value
            } write: { value in
                written(value)
            }
        }

        private static let units: [(String, Int64)] = [
            // Those that end others' names stand behind them.
            ("us", 1000), ("ms", 1_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ]
        // A hundred years: nothing that is computed with such a time overflows.
        private static let longest = 100.0 * 366 * 86400

        private static func read(_ text: String) -> Duration? {
            let (number, factor) = split(text)
            guard let value = Double(number), value.isFinite, value >= 0 else { return nil }
            let seconds = value * Double(factor) / 1e9
            guard seconds <= longest else { return nil }
            guard let whole = Int64(number) else { return .nanoseconds(Int64((seconds * 1e9).rounded())) }
            return .nanoseconds(whole * factor)
        }

        private static func split(_ text: String) -> (Substring, Int64) {
            for (name, factor) in units where text.hasSuffix(name) { return (text.dropLast(name.count), factor) }
            return (text[...], 1_000_000_000)
        }

        private static func written(_ value: Duration) -> String {
            let (seconds, rest) = value.components
            let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            guard !nanoseconds.overflow, value != .zero else { return "\(seconds)s" }
            let whole = nanoseconds.partialValue + rest / 1_000_000_000
            for (name, factor) in units.sorted(by: { $0.1 > $1.1 }) where whole % factor == 0 {
                return "\(whole / factor)\(name)"
            }
            return "\(value)"
        }
    }
#endif
