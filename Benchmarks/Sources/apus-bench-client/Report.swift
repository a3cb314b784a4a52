// SPDX-License-Identifier: Apache-2.0

import BenchProtos

/// The line that a run ends with.
struct Report: Sendable {
    let json: String
    let errors: Int
    let firstError: String?

    init(json: String, errors: Int, firstError: String?) {
        self.json = json
        self.errors = errors
        self.firstError = firstError
    }

    init(_ command: BenchClient, _ tally: Tally, from: Moment, to: Moment) {
        let seconds = Double(to.nanoseconds - from.nanoseconds) / 1e9
        let operations = Double(tally.operations)
        func each(_ from: Double?, _ to: Double?) -> Double? {
            guard let from, let to, operations > 0 else { return nil }
            return (to - from) / operations
        }
        let fields = [
            Self.field("rps", operations / seconds),
            Self.field("p50_us", tally.latency.microseconds(at: 0.5)),
            Self.field("p90_us", tally.latency.microseconds(at: 0.9)),
            Self.field("p99_us", tally.latency.microseconds(at: 0.99)),
            Self.field("p999_us", tally.latency.microseconds(at: 0.999)),
            Self.field("client_cpu_us_per_op", each(from.client, to.client)),
            Self.field("server_cpu_us_per_op", each(from.server, to.server)),
            "\"mode\":\"\(command.mode)\"", "\"concurrency\":\(command.concurrency)",
            "\"connections\":\(command.connections)", "\"payload\":\(command.payload)", Self.field("seconds", seconds),
            "\"ops\":\(tally.operations)", "\"errors\":\(tally.errors)",
        ]
        self.init(json: "{\(fields.joined(separator: ","))}", errors: tally.errors, firstError: tally.firstError)
    }

    /// A number with three places, or null.
    static func field(_ name: String, _ value: Double?) -> String {
        guard let value, value.isFinite else { return "\"\(name)\":null" }
        let thousandths = (value * 1000).rounded() / 1000
        return "\"\(name)\":\(thousandths)"
    }
}

/// What the server's memory says of connections on which nothing happens.
struct IdleReport {
    let line: Report

    /// Makes each channel's connection by a call on it, then waits.
    init(_ channels: Channels, server process: Int32?, seconds: Double) async throws {
        let before = process.flatMap { ProcessTimes.residentKiB(of: $0) }
        let load = Load(.unary, payload: 16)
        let clients = channels.clients
        try await withThrowingTaskGroup { group in
            for lane in 0..<min(64, clients.count) {
                group.addTask {
                    var tally = Tally(load.phase)
                    var id = Int64(lane)
                    for index in stride(from: lane, to: clients.count, by: 64) {
                        try await load.unary(clients[index], &id, &tally)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await Task.sleep(for: .seconds(seconds))
        let after = process.flatMap { ProcessTimes.residentKiB(of: $0) }
        line = Self.report(clients.count, before, after)
    }

    private static func report(_ connections: Int, _ before: Int?, _ after: Int?) -> Report {
        var each: Double?
        if let before, let after { each = Double(after - before) / Double(connections) }
        let fields = [
            "\"mode\":\"idle\"", "\"connections\":\(connections)",
            Report.field("rss_before_kb", before.map(Double.init)),
            Report.field("rss_after_kb", after.map(Double.init)),
            Report.field("kb_per_connection", each), "\"errors\":0",
        ]
        return Report(json: "{\(fields.joined(separator: ","))}", errors: 0, firstError: nil)
    }
}
