// SPDX-License-Identifier: Apache-2.0

/// A drawing of a run as SVG: the latency over time above, its distribution below.
public struct SVGPlot: Sendable {
    private let time: @Sendable (Duration) -> String
    private let width = 900.0
    private let height = 260.0
    private let left = 80.0
    private let top = 50.0

    /// A plot.
    ///
    /// - Parameter time: writes a time in about eight characters.
    public init(time: @escaping @Sendable (Duration) -> String) { self.time = time }

    /// The document.
    public func document(title: String, _ tally: LoadTally) -> String {
        let body = course(tally.timeline) + distribution(tally.latency)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 760" font-family="sans-serif" font-size="12">
            <style>
            svg { background: #fff; color: #222 } text { fill: currentColor } .grid { stroke: #8884 }
            .p50 { stroke: #2a78d6; fill: none; stroke-width: 2 } .p90 { stroke: #d69a2a; fill: none; stroke-width: 2 }
            .p99 { stroke: #c2344d; fill: none; stroke-width: 2 } .bar { fill: #2a78d6 } .failed { fill: #c2344d }
            @media (prefers-color-scheme: dark) { svg { background: #181a1f; color: #ddd } }
            </style>
            <text x="\(n(left))" y="24" font-size="16">\(Self.escaped(title))</text>
            \(body.joined(separator: "\n"))
            </svg>

            """
    }

    private func course(_ timeline: Timeline) -> [String] {
        let steps = timeline.steps
        let highest = steps.compactMap { $0.latency.percentile(0.99) }.max() ?? .zero
        guard highest > .zero else { return [] }
        var parts = grid(highest, top)
        for (share, name) in [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")] {
            let points = steps.enumerated().compactMap { index, step in
                step.latency.percentile(share).map { value in
                    let x = left + (Double(index) + 0.5) / Double(steps.count) * width
                    return "\(n(x)),\(n(top + height - value / highest * height))"
                }
            }
            parts.append("<polyline class=\"\(name)\" points=\"\(points.joined(separator: " "))\"/>")
        }
        for (index, step) in steps.enumerated() where step.failures > 0 {
            let x = left + Double(index) / Double(steps.count) * width
            let each = width / Double(steps.count)
            parts.append(
                "<rect class=\"failed\" x=\"\(n(x))\" y=\"\(n(top + height))\" width=\"\(n(each))\" height=\"5\">"
                    + "<title>\(step.failures) failed</title></rect>")
        }
        for (index, name) in ["p50", "p90", "p99"].enumerated() {
            let x = left + width - 150 + Double(index) * 50
            parts.append("<line class=\"\(name)\" x1=\"\(n(x))\" y1=\"38\" x2=\"\(n(x + 14))\" y2=\"38\"/>")
            parts.append("<text x=\"\(n(x + 18))\" y=\"42\">\(name)</text>")
        }
        let end = time(timeline.interval * steps.count)
        return parts + [
            text(left, top + height + 20, "0", "start"), text(left + width, top + height + 20, end, "end"),
        ]
    }

    private func distribution(_ histogram: LatencyHistogram) -> [String] {
        guard let least = histogram.minimum, let most = histogram.maximum else { return [] }
        let edges = TextPlot.edges(from: least, to: most, 40)
        let counts = histogram.counts(upTo: edges)
        let highest = Double(max(1, counts.max() ?? 1))
        let base = 700.0
        let each = width / Double(edges.count)
        var parts = ["<line class=\"grid\" x1=\"\(n(left))\" y1=\"700\" x2=\"\(n(left + width))\" y2=\"700\"/>"]
        for (index, count) in counts.enumerated() {
            let tall = Double(count) / highest * height
            let x = left + Double(index) * each
            parts.append(
                "<rect class=\"bar\" x=\"\(n(x))\" y=\"\(n(base - tall))\" width=\"\(n(each - 1))\" height=\"\(n(tall))\">"
                    + "<title>up to \(time(edges[index])): \(count)</title></rect>")
            if index % 8 == 7 { parts.append(text(x + each, base + 18, time(edges[index]), "end")) }
        }
        return parts + [text(left, base + 40, "calls by latency", "start")]
    }

    private func grid(_ highest: Duration, _ top: Double) -> [String] {
        (0...4).flatMap { step in
            let y = top + height - Double(step) / 4 * height
            return [
                "<line class=\"grid\" x1=\"\(n(left))\" y1=\"\(n(y))\" x2=\"\(n(left + width))\" y2=\"\(n(y))\"/>",
                text(left - 6, y + 4, time(highest * Double(step) / 4.0), "end"),
            ]
        }
    }

    private func text(_ x: Double, _ y: Double, _ text: String, _ anchor: String) -> String {
        "<text x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor)\">\(Self.escaped(text))</text>"
    }

    // Two places are enough for a drawing.
    private func n(_ number: Double) -> String { "\((number * 100).rounded() / 100)" }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
