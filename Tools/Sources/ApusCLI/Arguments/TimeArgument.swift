// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// A time on the command line: `500ms`, `2s`, `1.5m`, `1h`; seconds without a unit.
struct TimeArgument: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
    let duration: Duration
    let description: String

    // Longer ones are mistakes, and their nanoseconds could overflow.
    private static let longest = 366.0 * 86_400

    init(_ duration: Duration) {
        self.duration = duration
        description = duration == .zero ? "0s" : Figures.time(duration)
    }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits), let unit = Self.seconds(argument[digits.endIndex...]) else { return nil }
        let seconds = number * unit
        guard seconds.isFinite, seconds >= 0, seconds <= Self.longest else { return nil }
        duration = .seconds(seconds)
        description = argument
    }

    var defaultValueDescription: String { description }

    private static func seconds(_ unit: Substring) -> Double? {
        switch unit {
        case "us", "µs": 1e-6
        case "ms": 1e-3
        case "s", "": 1
        case "m", "min": 60
        case "h": 3600
        default: nil
        }
    }
}
