// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Columns of text: the first ones to the left, numbers to the right.
public struct TextTable {
    private var rows: [[String]]
    private let leftColumns: Int

    /// A table; its first columns stand to the left.
    public init(header: [String], leftColumns: Int) {
        rows = [header]
        self.leftColumns = leftColumns
    }

    /// Adds a row.
    public mutating func add(_ row: [String]) { rows.append(row) }

    /// The table, line by line.
    public var lines: [String] {
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

/// A share as text; "-" for none.
public func percent(_ share: Double?) -> String {
    share.map { String(format: "%.1f %%", $0 * 100) } ?? "-"
}

/// A time as text; "-" for none.
public func milliseconds(_ duration: Duration?) -> String {
    duration.map { String(format: "%.1f ms", $0 / .milliseconds(1)) } ?? "-"
}

/// A time as text.
public func seconds(_ duration: Duration) -> String { String(format: "%.1f s", duration / .seconds(1)) }
