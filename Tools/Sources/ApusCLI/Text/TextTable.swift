// SPDX-License-Identifier: Apache-2.0

/// Columns of text: the first ones to the left, numbers to the right.
struct TextTable {
    private var rows: [[String]]
    private let leftColumns: Int

    /// A table; its first columns stand to the left.
    init(header: [String], leftColumns: Int) {
        rows = [header]
        self.leftColumns = leftColumns
    }

    /// Adds a row.
    mutating func add(_ row: [String]) { rows.append(row) }

    /// The table, line by line.
    var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { line($0, widths) }
    }

    private func line(_ row: [String], _ widths: [Int]) -> String {
        let cells = row.enumerated().map { column, text in
            let blank = String(repeating: " ", count: widths[column] - text.count)
            return column < leftColumns ? text + blank : blank + text
        }
        var line = cells.joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line
    }
}
