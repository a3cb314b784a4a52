// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusProtobuf

/// Sends the spans of calls to an OpenTelemetry collector, over gRPC: those that ``OTLPClientTracing``,
/// ``OTLPAttemptTracing`` and ``OTLPServerTracing`` make, if its sampler takes them.
///
/// A collector that is away harms nobody: so many spans wait, and others are dropped and counted. Released, it stops
/// without a last export.
///
/// ```swift
/// let traces = OTLPTracesExporter(
///     through: Channel(to: .host("127.0.0.1", port: 4317)), OTLPOptions(resource: ["service.name": "users"]),
///     sampler: .parentBased(root: .ratio(0.01)))
/// let server = try Server([Users()], interceptors: [OTLPServerTracing(traces)])
/// // At the end of the process:
/// await traces.shutDown()
/// ```
public final class OTLPTracesExporter: Sendable {
    private let exporter: BatchExporter<Span>
    private let sampler: TraceSampler
    private let random: any RandomSource
    /// Nanoseconds since 1970.
    let now: @Sendable () -> UInt64

    /// Begins to export.
    ///
    /// - Parameters:
    ///   - channel: the way to the receiver; without the interceptors above, or exports trace themselves.
    ///   - options: what is said of the process, the time of one export, its headers.
    ///   - sampler: which traces are recorded.
    ///   - limits: how many spans wait and go together.
    ///   - random: what traces and spans are numbered from, and the waits after failures.
    ///   - clock: the time between exports.
    public convenience init(
        through channel: Channel, _ options: OTLPOptions = OTLPOptions(),
        sampler: TraceSampler = .parentBased(root: .alwaysOn), limits: OTLPBatchLimits = .traces,
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        self.init(
            through: channel, options, sampler: sampler, limits: limits, random: random, clock: clock,
            wallClock: WallClock.now)
    }

    /// - Parameter wallClock: nanoseconds since 1970.
    package init(
        through channel: Channel, _ options: OTLPOptions, sampler: TraceSampler, limits: OTLPBatchLimits,
        random: any RandomSource, clock: any MonotonicClock, wallClock: @escaping @Sendable () -> UInt64
    ) {
        self.sampler = sampler
        self.random = random
        now = wallClock
        let client = TraceService.Client(channel)
        let resource = Resource(of: options)
        exporter = BatchExporter(limits, timeout: options.timeout, random, clock) { spans, limit throws(RPCError) in
            let scope = ScopeSpans(scope: InstrumentationScope(name: "apus"), spans: spans)
            let request = ExportTraceServiceRequest(
                resourceSpans: [ResourceSpans(resource: resource, scopeSpans: [scope])])
            let answer = try await client.export(request, options: options.call(within: limit))
            return Int(clamping: answer.partialSuccess?.rejectedSpans ?? 0)
        }
    }

    /// What became of the spans so far.
    public var counts: OTLPBatchCounts { exporter.counts }

    /// Exports what there is, and takes no more. The channel stays open. To be called once.
    ///
    /// A batch that is on its way when this is called goes again, and so does one whose answer was lost, here as at any
    /// other time: the receiver may have taken the same spans already, and then has them twice.
    ///
    /// - Parameter limit: the time that this may take; what is left then is dropped.
    public func shutDown(within limit: Duration = .seconds(5)) async { await exporter.shutDown(within: limit) }

    func add(_ span: Span) { exporter.add(span) }

    /// The position of a new span: in its parent's trace, or in a new one.
    func position(in parent: SpanPosition?) -> SpanPosition {
        let span = number()
        let (high, low) = (parent?.traceHigh ?? random.next(), parent?.traceLow ?? number())
        return SpanPosition(
            traceHigh: high, traceLow: low, span: span,
            isSampled: sampler.samples(trace: low, parent: parent?.isSampled), state: parent?.state)
    }

    // Zero is no number.
    private func number() -> UInt64 { max(1, random.next()) }
}
