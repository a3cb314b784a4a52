// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Times and numbers as people read them.
enum Figures {
    /// `812 ns`, `1.24 ms`, `3.50 s`: three digits that count, and `0`.
    static func time(_ duration: Duration) -> String {
        let nanoseconds = max(0, duration / .nanoseconds(1))
        switch nanoseconds {
        case 0: return "0"
        case ..<1e3: return "\(digits(nanoseconds)) ns"
        case ..<999.5e3: return "\(digits(nanoseconds / 1e3)) µs"
        case ..<999.5e6: return "\(digits(nanoseconds / 1e6)) ms"
        default: return "\(digits(nanoseconds / 1e9)) s"
        }
    }

    /// `12,345`.
    static func count(_ number: Int) -> String {
        var result = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return (number < 0 ? "-" : "") + String(result.reversed())
    }

    /// `4.5`, `812`, `5,710`: a fraction where it counts.
    static func rate(_ number: Double) -> String {
        guard number.isFinite, number.magnitude < 1e15 else { return "-" }
        let isSmall = number.magnitude < 100 && number != number.rounded()
        return isSmall ? String(format: "%.1f", number) : count(Int(number.rounded()))
    }

    /// `12 bytes`, `4.0 KiB`, `1.2 MiB`.
    static func bytes(_ number: Int) -> String {
        switch number {
        case ..<1024: "\(number) bytes"
        case ..<(1 << 20): String(format: "%.1f KiB", Double(number) / 1024)
        default: String(format: "%.1f MiB", Double(number) / Double(1 << 20))
        }
    }

    /// `1 message`, `2 messages`.
    static func plural(_ number: Int, _ word: String) -> String { "\(count(number)) \(word)\(number == 1 ? "" : "s")" }

    private static func digits(_ number: Double) -> String {
        switch number {
        case ..<9.995: String(format: "%.2f", number)
        case ..<99.95: String(format: "%.1f", number)
        default: String(format: "%.0f", number)
        }
    }
}
