// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusLogging
import ApusTelemetry
import Foundation
import Logging
import TelemetryDemo

// Two instances of a service in one process: some calls, and what there is to see of them on the terminal.
LoggingSystem.bootstrap { StreamLogHandler.standardOutput(label: $0) }
let registry = MetricRegistry()
let watchers = Observers([
    CallMetrics(registry), AccessLog(Logger(label: "access")), EventLog(Logger(label: "events")),
])
let tracer = TerminalTracer { span in
    print("span \(span.traceID) \(span.parentID ?? "-") > \(span.spanID) \(span.name), \(span.events.count) events")
}
let pair = try WatchedPair(observer: watchers, tracer: tracer)
for name in ["Ada", "Grace", ""] {
    do {
        let answer = try await pair.channel.unary(Greeter.Methods.relay, MessageBytes(name.utf8))
        print(String(decoding: answer.message.bytes, as: UTF8.self))
    } catch {
        print("refused: \(error)")
    }
}
await pair.stop()

// The same once more for a collector, if there is one: OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317.
let environment = ProcessInfo.processInfo.environment
if environment["OTEL_EXPORTER_OTLP_ENDPOINT"] != nil {
    let exports = try Exports(environment, registry)
    let exported = try WatchedPair(observer: CallMetrics(registry), exports: exports)
    _ = try await exported.channel.unary(Greeter.Methods.relay, MessageBytes("Ada".utf8))
    await exported.stop()
    let (spans, records) = await exports.shutDown()
    print("exported: \(spans.exported) spans, \(spans.dropped) dropped")
    print("exported: \(records.exported) records, \(records.dropped) dropped")
}
let page = PrometheusText.render(registry.families)
print(page.split(separator: "\n").filter { $0.contains("_count{") || $0.contains("_total{") }.joined(separator: "\n"))
