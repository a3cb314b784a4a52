// SPDX-License-Identifier: Apache-2.0

import Figures

/// What a rollout did to calls and streams.
public struct RolloutReport: Sendable {
    /// How often all instances were replaced.
    public internal(set) var rounds = 0
    /// Processes that made room for a new one.
    public internal(set) var replaced = 0
    /// Why the version that never gets ready was given up; nil when it got ready, which it cannot.
    public internal(set) var refusal: String?
    /// All calls.
    public private(set) var calls = 0
    /// Calls that failed, whatever was tried.
    public private(set) var failed = 0
    /// All streams.
    public private(set) var streams = 0
    /// Streams that broke.
    public private(set) var broken = 0
    /// Why calls failed and streams broke, each reason once.
    public private(set) var errors: [String] = []
    /// The latencies of the calls, from when they were due.
    private(set) var latencies = LatencyHistogram()

    mutating func add(_ ended: [FinishedCall]) {
        calls += ended.count
        for call in ended {
            latencies.record(call.latency)
            if let error = call.error { add(error, to: \.failed) }
        }
    }

    mutating func add(streams ended: Int, errors: [String]) {
        streams += ended
        for error in errors { add(error, to: \.broken) }
    }

    private mutating func add(_ error: String, to count: WritableKeyPath<RolloutReport, Int>) {
        self[keyPath: count] += 1
        if !errors.contains(error) { errors.append(error) }
    }

    /// What was not as it has to be, one line each.
    public var faults: [String] {
        var faults: [String] = []
        if calls == 0 { faults.append("no calls were made") }
        if streams == 0 { faults.append("no streams were opened") }
        if failed > 0 { faults.append("\(failed) of \(calls) calls failed") }
        if broken > 0 { faults.append("\(broken) of \(streams) streams broke") }
        if refusal == nil { faults.append("a version that never gets ready was taken for ready") }
        return faults
    }

    /// The report for a reader, line by line.
    public var lines: [String] {
        var table = TextTable(
            header: ["rounds", "processes replaced", "calls", "failed", "streams", "broken", "p50", "p99", "p99.9"],
            leftColumns: 0)
        table.add(
            ["\(rounds)", "\(replaced)", "\(calls)", "\(failed)", "\(streams)", "\(broken)"]
                + [0.5, 0.99, 0.999].map { milliseconds(latencies.percentile($0)) })
        return table.lines + errors.prefix(5)
    }
}
