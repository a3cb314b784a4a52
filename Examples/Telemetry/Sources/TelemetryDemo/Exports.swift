// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ApusOTLP
public import ApusTelemetry

/// What goes to an OpenTelemetry collector: spans, log records and measures, over one channel.
public struct Exports: Sendable {
    /// The spans of calls.
    public let traces: OTLPTracesExporter
    /// Makes a log record of each call.
    public let log: OTLPAccessLog
    private let logs: OTLPLogsExporter
    private let metrics: OTLPMetricsExporter
    private let channel: Channel

    /// Begins to export, as OpenTelemetry's variables say.
    ///
    /// - Parameters:
    ///   - channel: the way to the collector; unless told, to where the variables say it is.
    ///   - registry: the measures.
    public init(_ environment: [String: String], _ registry: MetricRegistry, through channel: Channel? = nil) throws {
        let options = try OTLPOptions(environment: environment)
        let channel = channel ?? Channel(to: options.receiver.address)
        traces = OTLPTracesExporter(
            through: channel, try OTLPOptions(environment: environment, for: .traces),
            sampler: try TraceSampler(environment: environment))
        logs = OTLPLogsExporter(through: channel, try OTLPOptions(environment: environment, for: .logs))
        metrics = OTLPMetricsExporter(registry, through: channel, options)
        log = OTLPAccessLog(logs)
        self.channel = channel
    }

    /// Exports what there is, and ends.
    ///
    /// - Returns: what became of spans and records.
    public func shutDown() async -> (spans: OTLPBatchCounts, records: OTLPBatchCounts) {
        await traces.shutDown()
        await logs.shutDown()
        await metrics.shutDown()
        channel.close()
        return (traces.counts, logs.counts)
    }
}
