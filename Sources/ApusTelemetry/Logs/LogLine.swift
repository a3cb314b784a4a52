// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// One structured line, before a logging library has it.
package struct LogLine: Sendable {
    package let severity: LogSeverity
    package let message: String
    /// Keys with values, in the order in which people read them.
    package private(set) var fields: [(key: String, value: String)]

    package init(_ severity: LogSeverity, _ message: String, _ fields: [(key: String, value: String)] = []) {
        self.severity = severity
        self.message = message
        self.fields = fields
    }

    package subscript(key: String) -> String? { fields.first { $0.key == key }?.value }

    package mutating func add(_ key: String, _ value: String?) {
        if let value { fields.append((key, value)) }
    }

    /// Text of a peer's, harmless in a log: no control characters that could forge lines, and not too long.
    package static func harmless(_ text: String, limit: Int = 500) -> String {
        var result = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else { return result + "…" }
            switch scalar.value {
            case 0x00...0x1F, 0x7F...0x9F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Metadata with the values of allowed keys; of the others only that they are there.
    package static func redacted(_ metadata: Metadata, shown: Set<String>) -> String {
        let limit = 32
        var pairs = metadata.entries.prefix(limit).map { entry in
            guard shown.contains(entry.key) else { return "\(harmless(entry.key, limit: 100))=<redacted>" }
            switch entry.value {
            case .ascii(let text): return "\(entry.key)=\(harmless(text, limit: 200))"
            case .binary(let bytes): return "\(entry.key)=<\(bytes.count) bytes>"
            }
        }
        let more = metadata.entries.count - limit
        if more > 0 { pairs.append("and \(more) more") }
        return pairs.joined(separator: " ")
    }
}

extension Duration {
    /// Seconds with six digits behind the point.
    package var secondsText: String {
        let microseconds = max(0, saturatedNanoseconds) / 1000
        let digits = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - digits.count))\(digits)"
    }
}
