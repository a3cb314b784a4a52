// SPDX-License-Identifier: Apache-2.0

import Figures

/// The drill as it goes on: on a terminal one table that is drawn again in its place, elsewhere one line each time.
public struct LiveTable: Sendable {
    private let isTerminal: Bool
    private var drawnLines = 0

    /// A table that has not been drawn.
    public init(isTerminal: Bool) { self.isTerminal = isTerminal }

    /// The text to print for a snapshot, its line ends included.
    public mutating func draw(_ snapshot: DrillSnapshot) -> String {
        guard isTerminal else { return Self.line(snapshot) + "\n" }
        let lines = Self.lines(snapshot)
        // ECMA-48: CUU moves up to where the last table began, ED clears from there on.
        let back = drawnLines == 0 ? "" : "\u{1B}[\(drawnLines)A\r\u{1B}[J"
        drawnLines = lines.count
        return back + lines.map { $0 + "\n" }.joined()
    }

    /// The text to print for something that happened, above the table that goes on.
    public mutating func note(_ text: String) -> String {
        guard isTerminal, drawnLines > 0 else { return text + "\n" }
        defer { drawnLines = 0 }
        return "\u{1B}[\(drawnLines)A\r\u{1B}[J" + text + "\n"
    }

    static func lines(_ snapshot: DrillSnapshot) -> [String] {
        var table = TextTable(
            header: ["service", "instance", "state", "calls", "share", "mean 1/n", "errors", "p50", "p99"],
            leftColumns: 3)
        for row in snapshot.rows {
            table.add([
                row.service, row.instance, row.state.rawValue, "\(row.totalPicks)",
                percent(snapshot.share(of: row, in: snapshot.phase)),
                percent(snapshot.dueShare(of: row, in: snapshot.phase)),
                "\(row.errors)", milliseconds(row.latency.percentile(0.5)), milliseconds(row.latency.percentile(0.99)),
            ])
        }
        return table.lines + [headline(snapshot)]
    }

    static func line(_ snapshot: DrillSnapshot) -> String {
        let shares = snapshot.rows.map { "\($0.instance) \(percent(snapshot.share(of: $0, in: snapshot.phase)))" }
        return headline(snapshot) + " | " + shares.joined(separator: ", ")
    }

    private static func headline(_ snapshot: DrillSnapshot) -> String {
        "\(seconds(snapshot.elapsed)) \(snapshot.phase.rawValue): \(snapshot.calls) calls, \(snapshot.failed) failed"
    }
}
