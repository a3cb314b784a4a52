// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import LoadFigures

/// What a run has found: for people, for programs, and as a drawing.
struct RunReport {
    let method: String
    let address: String
    let plan: LoadPlan
    let connections: Int
    let tally: LoadTally
    /// The time that was measured.
    let measured: Duration

    init(
        method: MethodDescriptor, address: String, plan: LoadPlan, _ connections: Int, _ tally: LoadTally,
        measured: Duration
    ) {
        self.method = "\(method.service)/\(method.name)"
        (self.address, self.plan, self.connections, self.tally) = (address, plan, connections, tally)
        self.measured = measured
    }

    init(
        method: MethodDescriptor, address: String, plan: LoadPlan, _ connections: Int, _ tally: LoadTally,
        _ run: LoadRun
    ) {
        self.init(method: method, address: address, plan: plan, connections, tally, measured: run.measured)
    }

    /// `bench.Echo/Echo at :50051: open loop, 2,000 calls a second for 30.0 s`
    var title: String {
        let loop =
            plan.rate.map { "open loop, \(Figures.rate($0)) calls a second" }
            ?? "closed loop, \(Figures.plural(plan.lanes, "lane"))"
        return "\(method) at \(address): \(loop) for \(Figures.time(measured)),"
            + " \(Figures.plural(connections, "connection"))"
    }

    /// Calls a second that ended.
    var throughput: Double {
        // Calls of an open loop may end long after they were due.
        let time = max(measured, tally.lastEnd)
        return time > .zero ? Double(tally.calls) / (time / .seconds(1)) : 0
    }

    /// For people.
    func lines(width: Int) -> [String] {
        var lines = [title, ""]
        lines.append(
            "  calls    \(Figures.count(tally.calls)), \(Figures.rate(throughput)) a second,"
                + " \(Figures.count(tally.failed)) failed")
        if plan.rate != nil, tally.late * 100 > tally.calls {
            lines.append(
                "  late     \(Figures.count(tally.late)) sent more than 10 ms after they were due: the server, or -c, is"
                    + " too small for the rate")
        }
        lines += failures
        guard tally.latency.count > 0 else { return lines }
        let plot = TextPlot(width: width) { Figures.time($0) }
        lines += ["", "  latency"] + percentiles.map { "  " + $0 }
        lines += ["", "  calls by latency, each row up to the time in front of it"] + plot.distribution(tally.latency)
        lines += ["", "  latency over time: . median, * p99, # both"] + plot.course(tally.timeline)
        return lines
    }

    private var failures: [String] {
        tally.failures.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { status, count in
            "  failed   \(Figures.count(count)) \(status), such as: \(tally.examples[status] ?? "")"
        }
    }

    // In an open loop the time that the server itself took stands beside: what is more was waiting.
    private var percentiles: [String] {
        var header = [""]
        var rows = [plan.rate == nil ? ["a call"] : ["since due"]]
        if plan.rate != nil { rows.append(["since sent"]) }
        let histograms = [tally.latency, tally.service]
        for figure in LatencyFigure.shown {
            header.append(figure.name)
            for row in rows.indices { rows[row].append(figure.value(histograms[row]).map { Figures.time($0) } ?? "-") }
        }
        var table = TextTable(header: header, leftColumns: 1)
        for row in rows { table.add(row) }
        return table.lines
    }

    /// For programs: times in microseconds.
    var json: String {
        let document: [String: Any] = [
            "method": method, "address": address, "mode": plan.rate == nil ? "closed" : "open",
            "rate": plan.rate.map { $0 as Any } ?? NSNull(), "concurrency": plan.lanes, "connections": connections,
            "seconds": Self.rounded(measured / .seconds(1)), "calls": tally.calls, "failed": tally.failed,
            "late": tally.late, "calls_per_second": Self.rounded(throughput), "failures": tally.failures,
            "latency_us": Self.figures(tally.latency), "service_us": Self.figures(tally.service),
            "timeline": [
                "interval_seconds": Self.rounded(tally.timeline.interval / .seconds(1)),
                "steps": tally.timeline.steps.map { step in
                    ["calls": step.latency.count + step.failures, "failed": step.failures]
                        .merging(Self.figures(step.latency)) { first, _ in first }
                },
            ] as [String: Any],
        ]
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: document, options: options) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    private static func figures(_ histogram: LatencyHistogram) -> [String: Any] {
        var result: [String: Any] = [:]
        for figure in LatencyFigure.shown + [.percentile(0.95), .percentile(0.9999)] {
            result[figure.name] = figure.value(histogram).map { rounded($0 / .microseconds(1)) as Any } ?? NSNull()
        }
        return result
    }

    // JSON has no infinities, and nobody reads more than three places.
    private static func rounded(_ number: Double) -> NSNumber {
        NSDecimalNumber(string: String(format: "%.3f", number.isFinite ? number : 0))
    }

    /// As a drawing.
    var svg: String { SVGPlot { Figures.time($0) }.document(title: title, tally) }
}
