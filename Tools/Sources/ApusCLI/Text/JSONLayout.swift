// SPDX-License-Identifier: Apache-2.0

/// Lays compact JSON out in lines, for people.
enum JSONLayout {
    /// The same JSON with an element in each line. The text must be JSON without blanks between its parts.
    static func indented(_ json: String) -> String {
        var layout = Layout()
        for byte in json.utf8 { layout.add(byte) }
        return String(decoding: layout.result, as: UTF8.self)
    }

    private struct Layout {
        private(set) var result: [UInt8] = []
        private var depth = 0
        private var isText = false
        private var isEscaped = false
        // An opening bracket that waits: one that is closed at once stays in its line.
        private var isOpen = false

        mutating func add(_ byte: UInt8) {
            if isText { return addText(byte) }
            switch byte {
            case UInt8(ascii: "}"), UInt8(ascii: "]"): close(byte)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                begin()
                result.append(byte)
                (depth, isOpen) = (depth + 1, true)
            case UInt8(ascii: ","):
                result.append(byte)
                newLine()
            case UInt8(ascii: ":"): result += [byte, UInt8(ascii: " ")]
            default:
                begin()
                result.append(byte)
                isText = byte == UInt8(ascii: "\"")
            }
        }

        private mutating func addText(_ byte: UInt8) {
            result.append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isText = false
            }
        }

        private mutating func begin() {
            if isOpen { newLine() }
            isOpen = false
        }

        private mutating func close(_ byte: UInt8) {
            depth = max(0, depth - 1)
            if !isOpen { newLine() }
            isOpen = false
            result.append(byte)
        }

        private mutating func newLine() {
            result.append(UInt8(ascii: "\n"))
            result += [UInt8](repeating: UInt8(ascii: " "), count: depth * 2)
        }
    }
}
