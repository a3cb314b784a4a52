// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import LoadFigures

#if canImport(FoundationXML)
    import FoundationXML
#endif

struct SVGPlotTests {
    private let plot = SVGPlot { "\($0 / .milliseconds(1)) ms" }

    private func tally() -> LoadTally {
        var tally = LoadTally()
        for step in 0..<100 {
            let due = Duration.milliseconds(step * 50)
            tally.record(due: due, sent: due, ended: due + .milliseconds(step % 7 + 1))
        }
        tally.record(due: .zero, sent: .zero, ended: .zero, failure: ("INTERNAL", "odd"))
        return tally
    }

    @Test func `the drawing is well-formed, whatever the title`() throws {
        let text = plot.document(title: #"a<b> & "c""#, tally())
        let parser = XMLParser(data: Data(text.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(text.contains("a&lt;b&gt; &amp; &quot;c&quot;"))
    }

    @Test func `it has a line for each percentile, bars, and marks of failures`() {
        let text = plot.document(title: "run", tally())
        for name in ["p50", "p90", "p99"] { #expect(text.contains("<polyline class=\"\(name)\"")) }
        #expect(text.contains("class=\"bar\""))
        #expect(text.contains("<title>1 failed</title>"))
    }

    @Test func `a run without calls is an empty drawing`() {
        let text = plot.document(title: "nothing", LoadTally())
        #expect(XMLParser(data: Data(text.utf8)).parse())
        #expect(!text.contains("polyline class"))
    }
}
