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

    /// A peer's text in one line, without what would move a terminal's cursor.
    static func harmless(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control
            result.unicodeScalars.append(isControl ? " " : scalar)
        }
        return result
    }
}
