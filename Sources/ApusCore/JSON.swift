// SPDX-License-Identifier: Apache-2.0

/// A JSON value. Objects have no order; a key that occurs twice is refused when read.
package enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])
}

/// Why bytes are no JSON.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package let problem: String
    /// The byte at which it was noticed, 0 for the first.
    package let offset: Int

    package var description: String { "\(problem) at byte \(offset)" }
}

extension JSON {
    /// The text of the value, for people too: keys in alphabetical order, one member of the outermost object a line.
    package var text: String { Self.written(self, indented: true) + "\n" }

    /// The value in one line, keys in alphabetical order.
    package var line: String { Self.written(self) }

    private static func written(_ value: JSON, indented: Bool = false) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): written(number)
        case .string(let text): quoted(text)
        case .array(let elements): "[\(elements.map { written($0) }.joined(separator: ", "))]"
        case .object(let members): written(members, indented)
        }
    }

    private static func written(_ members: [String: JSON], _ indented: Bool) -> String {
        let lines = members.sorted { $0.key < $1.key }.map { "\(quoted($0.key)): \(written($0.value))" }
        guard indented, !lines.isEmpty else { return "{\(lines.joined(separator: ", "))}" }
        return "{\n  \(lines.joined(separator: ",\n  "))\n}"
    }

    // JSON has no infinities; callers refuse them before.
    private static func written(_ number: Double) -> String {
        guard number.isFinite else { return "null" }
        return Int64(exactly: number).map { "\($0)" } ?? "\(number)"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case "\0"..."\u{1F}", "\u{7F}": result += "\\u00" + hexadecimal(scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}
