// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ApusOTLP
public import ApusTelemetry

/// What goes to an OpenTelemetry collector: spans, log records and measures, over one channel unless the variables name
/// a collector for each.
public struct Exports: Sendable {
    /// The spans of calls.
    public let traces: OTLPTracesExporter
    /// Makes a log record of each call.
    public let log: OTLPAccessLog
    private let logs: OTLPLogsExporter
    private let metrics: OTLPMetricsExporter
    private let channels: [Channel]

    /// Begins to export, as OpenTelemetry's variables say.
    ///
    /// - Parameters:
    ///   - registry: the measures.
    ///   - channel: the way to the collector; unless told, to where the variables say it is.
    public init(_ environment: [String: String], _ registry: MetricRegistry, through channel: Channel? = nil) throws {
        let ofTraces = try OTLPOptions(environment: environment, for: .traces)
        let ofLogs = try OTLPOptions(environment: environment, for: .logs)
        let ofMetrics = try OTLPOptions(environment: environment, for: .metrics)
        let sampler = TraceSampler(environment: environment)
        var channels: [OTLPReceiver: Channel] = [:]
        for options in [ofTraces, ofLogs, ofMetrics] where channels[options.receiver] == nil {
            channels[options.receiver] = channel ?? Self.channel(to: options.receiver)
        }
        func way(_ options: OTLPOptions) -> Channel { channels[options.receiver] ?? Self.channel(to: options.receiver) }
        traces = OTLPTracesExporter(through: way(ofTraces), ofTraces, sampler: sampler)
        logs = OTLPLogsExporter(through: way(ofLogs), ofLogs)
        metrics = OTLPMetricsExporter(registry, through: way(ofMetrics), ofMetrics)
        log = OTLPAccessLog(logs)
        self.channels = Array(channels.values)
    }

    // Headers may have tokens: where the variables ask for TLS, nothing goes in cleartext.
    private static func channel(to receiver: OTLPReceiver) -> Channel {
        Channel(to: receiver.address, options: options(for: receiver))
    }

    /// How a collector is reached: with TLS, and the system's authorities, if it is to be.
    public static func options(for receiver: OTLPReceiver) -> TransportOptions {
        var options = TransportOptions()
        if receiver.isSecure { options.tls = ClientTLS() }
        return options
    }

    /// Exports what there is, and ends.
    ///
    /// - Returns: what became of spans and records.
    public func shutDown() async -> (spans: OTLPBatchCounts, records: OTLPBatchCounts) {
        await traces.shutDown()
        await logs.shutDown()
        await metrics.shutDown()
        for channel in channels { channel.close() }
        return (traces.counts, logs.counts)
    }
}
