// SPDX-License-Identifier: Apache-2.0

public import ApusCore
public import ApusTelemetry
import Synchronization

/// Sends the metrics of a registry to an OpenTelemetry collector, again and again, over gRPC.
///
/// A collector that is away harms nobody: what it has missed is in the next export, since all values count from the
/// exporter's start on. Make it together with its registry. Released, it stops without a last export.
///
/// ```swift
/// let measured = MetricRegistry()
/// let exporter = OTLPMetricsExporter(
///     measured, through: Channel(to: .host("127.0.0.1", port: 4317)), OTLPOptions(resource: ["service.name": "users"]))
/// // At the end of the process:
/// await exporter.shutDown()
/// ```
public final class OTLPMetricsExporter: Sendable {
    private let core: Core
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// What became of the exports.
    public struct Counts: Sendable, Hashable {
        /// Those that the receiver has taken.
        public let exported: Int
        /// Those that it has not, or has not answered in time. The next one had all that they had.
        public let failed: Int
        /// Values that the receiver has refused within exports that it took.
        public let rejected: Int
    }

    /// Begins to export.
    ///
    /// - Parameters:
    ///   - registry: what is sent.
    ///   - channel: the way to the receiver; without an observer of the same registry, or exports measure themselves.
    ///   - random: what the waits after failures are drawn from.
    ///   - clock: the time between exports.
    public convenience init(
        _ registry: MetricRegistry, through channel: Channel, _ options: OTLPOptions = OTLPOptions(),
        random: any RandomSource = SplitMixRandom.shared, clock: any MonotonicClock = SystemClock()
    ) {
        self.init(registry, through: channel, options, random: random, clock: clock, wallClock: WallClock.now)
    }

    /// - Parameter wallClock: nanoseconds since 1970.
    package init(
        _ registry: MetricRegistry, through channel: Channel, _ options: OTLPOptions, random: any RandomSource,
        clock: any MonotonicClock, wallClock: @escaping @Sendable () -> UInt64
    ) {
        let core = Core(registry, channel, options, random, clock, wallClock)
        self.core = core
        task.withLock { $0 = Task { await core.run() } }
    }

    deinit { task.withLock { $0?.cancel() } }

    /// What became of the exports so far.
    public var counts: Counts { core.counts }

    /// Exports a last time, and no more. The channel stays open. To be called once.
    ///
    /// An export that is refused, but may be taken later, is made again while there is time. What the receiver has taken
    /// without our learning of it comes twice then, and so does an export that is on its way when this is called: the
    /// same series at a later moment, which changes no sum.
    ///
    /// - Parameter limit: the time that this may take, all tries together.
    public func shutDown(within limit: Duration = .seconds(5)) async {
        let running = task.withLock { $0.take() }
        running?.cancel()
        await running?.value
        if running != nil { await core.exportLast(within: limit) }
    }
}

/// What the exporter's task holds on to.
private final class Core: Sendable {
    private let registry: MetricRegistry
    private let client: MetricsService.Client
    private let options: OTLPOptions
    private let random: any RandomSource
    private let clock: any MonotonicClock
    private let wallClock: @Sendable () -> UInt64
    private let requests: MetricRequests
    private let state: Mutex<(course: ExportCourse, rejected: Int)>

    init(
        _ registry: MetricRegistry, _ channel: Channel, _ options: OTLPOptions, _ random: any RandomSource,
        _ clock: any MonotonicClock, _ wallClock: @escaping @Sendable () -> UInt64
    ) {
        self.registry = registry
        client = MetricsService.Client(channel)
        self.options = options
        self.random = random
        self.clock = clock
        self.wallClock = wallClock
        requests = MetricRequests(resource: options.resource, start: wallClock(), limit: options.maximumSeries)
        state = Mutex((ExportCourse(interval: options.interval), 0))
    }

    var counts: OTLPMetricsExporter.Counts {
        state.withLock { .init(exported: $0.course.exported, failed: $0.course.failed, rejected: $0.rejected) }
    }

    func run() async {
        var wait = options.interval
        while !Task.isCancelled {
            do { try await clock.sleep(until: clock.now.advanced(by: wait)) } catch { return }
            let error = await send(until: clock.now.advanced(by: options.timeout))
            // The last export comes in its place.
            if Task.isCancelled { return }
            wait = ended(error)
        }
    }

    /// Exports what there is, again and again while a refusal may pass and there is time.
    func exportLast(within limit: Duration) async {
        let end = clock.now.advanced(by: limit)
        while case let left = clock.now.duration(to: end), left > .zero {
            let error = await send(until: clock.now.advanced(by: min(left, options.timeout)))
            let next = clock.now.advanced(by: ended(error))
            guard let error, ExportRefusal(error).mayPass, next < end else { return }
            // Cancelled, it is the caller who has no more time.
            do { try await clock.sleep(until: next) } catch { return }
        }
    }

    /// - Returns: the time until the next export.
    private func ended(_ error: RPCError?) -> Duration {
        state.withLock { $0.course.ended(error, random: random.unit()) }
    }

    // All requests of one export, or those before the first that fails.
    private func send(until end: MonotonicInstant) async -> RPCError? {
        for request in requests.requests(registry.families, now: wallClock()) {
            let left = clock.now.duration(to: end)
            guard left > .zero else { return RPCError(.deadlineExceeded, "the export took too long") }
            do throws(RPCError) {
                let answer = try await client.export(request, options: options.call(within: left))
                let rejected = max(0, answer.partialSuccess?.rejectedDataPoints ?? 0)
                state.withLock { $0.rejected = $0.rejected.addingReportingOverflow(Int(rejected)).partialValue }
            } catch {
                return error
            }
        }
        return nil
    }
}
