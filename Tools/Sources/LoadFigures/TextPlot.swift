// SPDX-License-Identifier: Apache-2.0

/// Drawings of a run in plain characters.
public struct TextPlot: Sendable {
    /// The columns of the whole drawing.
    public let width: Int
    private let time: @Sendable (Duration) -> String

    /// A plot.
    ///
    /// - Parameter time: writes a time in about eight characters.
    public init(width: Int = 80, time: @escaping @Sendable (Duration) -> String) {
        self.width = max(width, 40)
        self.time = time
    }

    /// A bar for each range of latencies; the ranges widen by the same factor.
    public func distribution(_ histogram: LatencyHistogram, rows: Int = 12) -> [String] {
        guard let least = histogram.minimum, let most = histogram.maximum, rows > 0 else { return [] }
        let edges = Self.edges(from: least, to: most, rows)
        let counts = histogram.counts(upTo: edges)
        let highest = max(1, counts.max() ?? 1)
        let room = max(10, width - 32)
        return zip(edges, counts).map { edge, count in
            let bar = Self.bar(Double(count) / Double(highest), room)
            let share = Double(count) / Double(histogram.count) * 100
            let figure = "\(Self.padded("\(count)", 9)) \(Self.padded(Self.tenths(share), 5)) %"
            return "\(Self.padded(time(edge), 9)) |\(bar)\(String(repeating: " ", count: room - bar.count))\(figure)"
        }
    }

    static func edges(from least: Duration, to most: Duration, _ rows: Int) -> [Duration] {
        let low = max(least / .nanoseconds(1), 1)
        let high = max(most / .nanoseconds(1), low)
        guard high > low * 1.05 else { return [most] }
        return (1...rows).map { row in
            row == rows ? most : .nanoseconds(Int64(low * Self.power(high / low, Double(row) / Double(rows))))
        }
    }

    // Of a ratio from 1 on, without the C library: bisection of the exponent by square roots.
    private static func power(_ base: Double, _ exponent: Double) -> Double {
        var (result, root, rest) = (1.0, base, exponent)
        for _ in 0..<40 {
            root = root.squareRoot()
            rest *= 2
            guard rest >= 1 else { continue }
            result *= root
            rest -= 1
        }
        return result
    }

    /// Latency over time: `.` is the median, `*` the 99th percentile, `#` both, and `x` below tells of failures. The
    /// scale is logarithmic.
    public func course(_ timeline: Timeline, rows: Int = 10) -> [String] {
        let columns = Self.columns(timeline.steps, max(10, width - 13))
        let values =
            columns.compactMap { $0.latency.percentile(0.5) } + columns.compactMap { $0.latency.percentile(0.99) }
        guard let low = values.min(), let high = values.max(), rows > 1 else { return [] }
        let scale = LogScale(low, high, rows)
        var lines = (0..<rows).reversed().map { row in
            let cells = columns.map { Self.mark($0, row, scale) }
            let label = row == rows - 1 || row == 0 || row == rows / 2 ? time(scale.value(row)) : ""
            return "\(Self.padded(label, 9)) |\(String(cells))"
        }
        if columns.contains(where: { $0.failures > 0 }) {
            lines.append("   failed |" + String(columns.map { $0.failures > 0 ? "x" : " " }))
        }
        lines.append(String(repeating: " ", count: 10) + "+" + String(repeating: "-", count: columns.count))
        let end = time(timeline.interval * timeline.steps.count)
        lines.append(String(repeating: " ", count: 11) + "0" + Self.padded(end, max(1, columns.count - 1)))
        return lines.map { Self.trimmed($0) }
    }

    private static func mark(_ step: Timeline.Step, _ row: Int, _ scale: LogScale) -> Character {
        guard let median = step.latency.percentile(0.5), let tail = step.latency.percentile(0.99) else { return " " }
        return switch (scale.row(median) == row, scale.row(tail) == row) {
        case (true, true): "#"
        case (true, false): "."
        case (false, true): "*"
        default: " "
        }
    }

    // Few steps are drawn several columns wide, many are put together.
    static func columns(_ steps: [Timeline.Step], _ room: Int) -> [Timeline.Step] {
        guard !steps.isEmpty else { return [] }
        if steps.count <= room {
            let wide = min(room, steps.count * 4)
            return (0..<wide).map { steps[$0 * steps.count / wide] }
        }
        let each = (steps.count + room - 1) / room
        return stride(from: 0, to: steps.count, by: each).map { start in
            steps[start..<min(start + each, steps.count)].reduce(into: Timeline.Step()) { sum, step in
                sum.latency.merge(step.latency)
                sum.failures += step.failures
            }
        }
    }

    private static func bar(_ share: Double, _ room: Int) -> String {
        let eighths = Int((share * Double(room * 8)).rounded())
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let bar = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
        return bar.isEmpty && share > 0 ? "▏" : bar
    }

    private static func tenths(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func trimmed(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// Rows whose values grow by the same factor.
struct LogScale {
    private let values: [Duration]

    /// Rows from a value to another one.
    init(_ low: Duration, _ high: Duration, _ rows: Int) {
        let edges = TextPlot.edges(from: low, to: high, max(rows - 1, 1))
        // One value needs one row, in the middle of nothing.
        values = edges.count == rows - 1 ? [low] + edges : [Duration](repeating: high, count: rows)
    }

    /// The row of a value: the first whose value is not below it.
    func row(_ value: Duration) -> Int { values.firstIndex { value <= $0 } ?? values.count - 1 }

    /// What a row stands for.
    func value(_ row: Int) -> Duration { values[row] }
}
