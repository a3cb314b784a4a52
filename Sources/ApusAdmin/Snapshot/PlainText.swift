// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// JSON for people at a terminal: members a line each, lists of objects as tables.
enum PlainText {
    static func render(_ value: JSON) -> String {
        guard case .object(let members) = value else { return text(value) + "\n" }
        let sorted = members.map { (key: harmless($0.key), value: $0.value) }.sorted { $0.key < $1.key }
        let plain = sorted.filter { !isSection($0.value) }
        let width = plain.map { $0.key.count }.max() ?? 0
        let lines = plain.map { "\(padded($0.key, width))  \(text($0.value))\n" }.joined()
        let sections = sorted.filter { isSection($0.value) }.map { "\($0.key)\n\(indented(section($0.value)))" }
        return ([lines] + sections).filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private static func isSection(_ value: JSON) -> Bool {
        switch value {
        case .object(let members): !members.isEmpty
        case .array(let elements): elements.contains(where: isSection)
        case .null, .bool, .number, .string: false
        }
    }

    private static func section(_ value: JSON) -> String {
        guard case .array(let elements) = value else { return render(value) }
        let rows = elements.compactMap { element -> [String: JSON]? in
            guard case .object(let members) = element else { return nil }
            return members
        }
        let isTable = rows.count == elements.count && !rows.contains { $0.values.contains(where: isSection) }
        return isTable ? table(rows) : elements.map(render).joined(separator: "\n")
    }

    private static func table(_ rows: [[String: JSON]]) -> String {
        let names = Set(rows.flatMap(\.keys)).sorted()
        let lines = [names.map(harmless)] + rows.map { row in names.map { text(row[$0] ?? .null) } }
        let widths = names.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            var text = zip(line, widths).map(padded).joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }.joined()
    }

    private static func text(_ value: JSON) -> String {
        switch value {
        case .null: "-"
        case .bool(let flag): flag ? "yes" : "no"
        case .number(let number): Int64(exactly: number).map { "\($0)" } ?? "\(number)"
        case .string(let text): harmless(text)
        case .array(let elements): elements.isEmpty ? "-" : elements.map(text).joined(separator: ", ")
        case .object: "-"
        }
    }

    // What would steer a terminal, or break a line, is shown as a mark.
    private static func harmless(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "" : "  \($0)" }.joined(separator: "\n")
    }
}
