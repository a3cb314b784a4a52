// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LoadFigures

struct TextPlotTests {
    private let plot = TextPlot(width: 60) { "\(Int($0 / .milliseconds(1))) ms" }

    private func histogram(_ milliseconds: [Int]) -> LatencyHistogram {
        milliseconds.reduce(into: LatencyHistogram()) { $0.record(.milliseconds($1)) }
    }

    @Test func `no calls give no drawing`() {
        #expect(plot.distribution(LatencyHistogram()) == [])
        #expect(plot.course(Timeline()) == [])
    }

    @Test func `each row has a bar, a number and a share`() {
        let lines = plot.distribution(histogram([1, 1, 1, 100]), rows: 2)
        #expect(
            lines == [
                "    10 ms |████████████████████████████        3  75.0 %",
                "   100 ms |█████████▍                          1  25.0 %",
            ])
    }

    @Test func `the ranges widen by one factor and end at the longest call`() {
        let edges = TextPlot.edges(from: .milliseconds(1), to: .milliseconds(1000), 3).map { $0 / .milliseconds(1) }
        for (edge, expected) in zip(edges, [10.0, 100, 1000]) { #expect(abs(edge - expected) < expected / 1e6) }
        #expect(TextPlot.edges(from: .seconds(1), to: .seconds(1), 5) == [.seconds(1)])
        #expect(TextPlot.edges(from: .zero, to: .zero, 5) == [.zero])
    }

    @Test func `every call is in a row, and every line fits`() {
        let values = (1...700).map { $0 * 3 }
        let lines = plot.distribution(histogram(values))
        #expect(lines.allSatisfy { $0.count <= 60 })
        let counts = lines.compactMap { $0.split(separator: " ").dropLast(2).last.flatMap { Int($0) } }
        #expect(counts.reduce(0, +) == 700)
    }

    @Test func `a step up is seen in the course, with its failures below`() {
        var timeline = Timeline(interval: .seconds(1))
        for second in 0..<4 {
            for _ in 0..<10 { timeline.record(.milliseconds(second < 2 ? 1 : 100), at: .seconds(second)) }
        }
        timeline.record(nil, at: .seconds(3))
        let lines = plot.course(timeline, rows: 3)
        #expect(
            lines == [
                "   100 ms |        ########",
                "    10 ms |",
                "     1 ms |########",
                "   failed |            xxxx",
                "          +----------------",
                "           0        4000 ms",
            ])
    }

    @Test func `more steps than columns are put together`() {
        let steps = [Timeline.Step](repeating: Timeline.Step(latency: histogram([2]), failures: 1), count: 100)
        let columns = TextPlot.columns(steps, 30)
        #expect(columns.count <= 30)
        #expect(columns.map(\.latency.count).reduce(0, +) == 100)
        #expect(columns.map(\.failures).reduce(0, +) == 100)
    }
}
