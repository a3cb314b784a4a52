// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What stands at the other end of the standard streams.
enum Screen {
    /// Whether people read the standard output as it comes.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    /// Whether people type the standard input.
    static var isTyped: Bool { isatty(STDIN_FILENO) == 1 }

    /// The columns of the terminal; 80 when there is none.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 else { return 80 }
        return Int(size.ws_col)
    }

    /// A peer's text in one line: what would move a terminal's cursor, or turn the direction of what follows, is shown
    /// as JSON spells it.
    static func harmless(_ text: String) -> String { escaped(text) { _ in false } }

    /// The same for lines: their ends and tabs stay. JSON stays the same JSON.
    static func harmlessLines(_ text: String) -> String { escaped(text) { $0 == "\n" || $0 == "\t" } }

    private static func escaped(_ text: String, except isWanted: (Unicode.Scalar) -> Bool) -> String {
        guard text.unicodeScalars.contains(where: isDangerous) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if !isDangerous(scalar) || isWanted(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += short[scalar] ?? "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result
    }

    private static let short: [Unicode.Scalar: String] = ["\n": "\\n", "\r": "\\r", "\t": "\\t"]

    // C0, DEL and C1, and the marks and isolates of bidirectional text. None is above U+FFFF.
    private static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
