// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import ApusOTLP
import ApusTelemetry

/// What watches the calls that are measured.
package enum Telemetry: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Nothing.
    case off
    /// Metrics, kept for Prometheus say.
    case metrics
    /// Traces, of which one in a hundred is kept and exported.
    case traces
    /// Metrics, all traces and a log line for each call, all of them exported.
    case all
}

/// The flags of a program that is measured.
package struct TelemetryOptions: ParsableArguments {
    @Option(help: "What watches the calls: off, metrics, traces (1 % sampled), all (and all sampled).")
    package var telemetry = Telemetry.off

    @Option(help: "The port of the collector that traces and logs go to.")
    package var collector: Int?

    package init() {}

    package func validate() throws {
        guard collector != nil || telemetry == .off || telemetry == .metrics else {
            throw ValidationError("--telemetry \(telemetry.rawValue) needs --collector PORT")
        }
    }

    /// Begins to watch.
    package func start() -> Watchers { Watchers(telemetry, collector: collector) }
}

/// What a server's or a channel's calls are watched by.
package struct Watchers {
    /// For `Server` and `Channel`.
    package let observer: (any Observer)?
    /// In front of a server's handlers.
    package let server: [any ServerInterceptor]
    private let calls: [any ClientInterceptor]
    private let attempts: [any ClientInterceptor]

    init(_ telemetry: Telemetry, collector port: Int?) {
        var (observers, traces): ([any Observer], OTLPTracesExporter?) = ([], nil)
        if telemetry == .metrics || telemetry == .all { observers.append(CallMetrics(MetricRegistry())) }
        if let port, telemetry == .traces || telemetry == .all {
            let collector = Channel(to: .host("127.0.0.1", port: port))
            let share = telemetry == .all ? 1 : 0.01
            traces = OTLPTracesExporter(through: collector, sampler: .parentBased(root: .ratio(share)))
            if telemetry == .all { observers.append(OTLPAccessLog(OTLPLogsExporter(through: collector))) }
        }
        observer = observers.count < 2 ? observers.first : Observers(observers)
        server = traces.map { [OTLPServerTracing($0)] } ?? []
        calls = traces.map { [OTLPClientTracing($0)] } ?? []
        attempts = traces.map { [OTLPAttemptTracing($0)] } ?? []
    }

    /// A channel's interceptors with what traces its calls and their tries.
    package func around(_ interceptors: [any ClientInterceptor]) -> [any ClientInterceptor] {
        calls + interceptors + attempts
    }
}

/// A collector of OpenTelemetry's signals that takes all and keeps nothing.
package struct Collector: Service {
    package init() {}

    package var routes: [Route] {
        ["trace.v1.Trace", "logs.v1.Logs", "metrics.v1.Metrics"].map { name in
            let service = "opentelemetry.proto.collector.\(name)Service"
            return Route(MethodDescriptor(service: service, name: "Export", kind: .unary)) { _ in
                ServerResponse(message: MessageBytes([]))
            }
        }
    }
}
