// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusProtobuf
import ApusTelemetry

/// Sends log records to an OpenTelemetry collector, over gRPC: those that ``OTLPAccessLog`` and ``OTLPEventLog`` make.
///
/// A collector that is away harms nobody: so many records wait, and others are dropped and counted. Released, it stops
/// without a last export.
///
/// ```swift
/// let logs = OTLPLogsExporter(
///     through: Channel(to: .host("127.0.0.1", port: 4317)), OTLPOptions(resource: ["service.name": "users"]))
/// let server = try Server([Users()], observer: OTLPAccessLog(logs))
/// // At the end of the process:
/// await logs.shutDown()
/// ```
public final class OTLPLogsExporter: Sendable {
    private let exporter: BatchExporter<LogRecord>
    private let now: @Sendable () -> UInt64

    /// Begins to export.
    ///
    /// - Parameters:
    ///   - channel: the way to the receiver; without the logs above, or exports log themselves.
    ///   - options: what is said of the process, the time of one export, its headers.
    ///   - limits: how many records wait and go together.
    ///   - random: what the waits after failures are drawn from.
    ///   - clock: the time between exports.
    public convenience init(
        through channel: Channel, _ options: OTLPOptions = OTLPOptions(), limits: OTLPBatchLimits = .logs,
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        self.init(
            through: channel, options, limits: limits, random: random, clock: clock, wallClock: WallClock.now)
    }

    /// - Parameter wallClock: nanoseconds since 1970.
    package init(
        through channel: Channel, _ options: OTLPOptions, limits: OTLPBatchLimits, random: any RandomSource,
        clock: any MonotonicClock, wallClock: @escaping @Sendable () -> UInt64
    ) {
        now = wallClock
        let client = LogsService.Client(channel)
        let resource = Resource(of: options)
        exporter = BatchExporter(limits, timeout: options.timeout, random, clock) { records, limit throws(RPCError) in
            let scope = ScopeLogs(scope: InstrumentationScope(name: "apus"), logRecords: records)
            let request = ExportLogsServiceRequest(
                resourceLogs: [ResourceLogs(resource: resource, scopeLogs: [scope])])
            let answer = try await client.export(request, options: options.call(within: limit))
            return Int(clamping: answer.partialSuccess?.rejectedLogRecords ?? 0)
        }
    }

    /// What became of the records so far.
    public var counts: OTLPBatchCounts { exporter.counts }

    /// Exports what there is, and takes no more. The channel stays open. To be called once.
    ///
    /// A batch that is on its way when this is called goes again, and so does one whose answer was lost, here as at any
    /// other time: the receiver may have taken the same records already, and then has them twice.
    ///
    /// - Parameter limit: the time that this may take; what is left then is dropped.
    public func shutDown(within limit: Duration = .seconds(5)) async { await exporter.shutDown(within: limit) }

    func add(_ line: LogLine, leftOut: Int, of call: CallRecord?) {
        exporter.add(LogRecord(line, leftOut: leftOut, of: call, at: now()))
    }
}
