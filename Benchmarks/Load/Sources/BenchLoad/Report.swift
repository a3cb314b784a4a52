// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The line of JSON that a run ends with.
public struct Report: Sendable {
    private let json: String
    /// How many calls failed or were answered wrongly.
    public let errors: Int
    private let firstError: String?

    init(_ options: LoadOptions, _ tally: Tally, from: Moment, to: Moment) {
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
            "\"mode\":\"\(options.mode)\"", "\"concurrency\":\(options.concurrency)",
            "\"connections\":\(options.connections)", "\"payload\":\(options.payload)", Self.field("seconds", seconds),
            "\"ops\":\(tally.operations)", "\"errors\":\(tally.errors)",
        ]
        json = "{\(fields.joined(separator: ","))}"
        errors = tally.errors
        firstError = tally.firstError
    }

    /// What connections without calls cost a server.
    ///
    /// - Parameters:
    ///   - before: the server's resident KiB without them, if known.
    ///   - after: the same with them.
    public init(idle connections: Int, before: Int?, after: Int?) {
        var each: Double?
        if let before, let after { each = Double(after - before) / Double(connections) }
        let fields = [
            "\"mode\":\"idle\"", "\"connections\":\(connections)", Self.field("rss_before_kb", before.map(Double.init)),
            Self.field("rss_after_kb", after.map(Double.init)), Self.field("kb_per_connection", each), "\"errors\":0",
        ]
        json = "{\(fields.joined(separator: ","))}"
        errors = 0
        firstError = nil
    }

    /// Prints the line, and the first error to standard error.
    public func show() {
        print(json)
        fflush(nil)
        guard let firstError else { return }
        let line = Array("\(firstError)\n".utf8)
        write(STDERR_FILENO, line, line.count)
    }

    // A number with three places, or null.
    private static func field(_ name: String, _ value: Double?) -> String {
        guard let value, value.isFinite else { return "\"\(name)\":null" }
        let thousandths = (value * 1000).rounded() / 1000
        return "\"\(name)\":\(thousandths)"
    }
}
