// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusOTLP
import ApusTelemetry
import Synchronization
import TelemetryDemo
import Testing

@Suite(.timeLimit(.minutes(2))) struct ExportsTests {
    /// Takes what is exported, unread: an empty message is an answer to it.
    private final class Collector: Service {
        private let sizes = Mutex<[String: Int]>([:])

        var received: [String: Int] { sizes.withLock { $0 } }

        var routes: [Route] {
            [("trace", "TraceService"), ("logs", "LogsService"), ("metrics", "MetricsService")].map { signal, service in
                let method = Method<BytesCodec, BytesCodec>(
                    service: "opentelemetry.proto.collector.\(signal).v1.\(service)", name: "Export", kind: .unary)
                return .unary(method) { request, _ in
                    self.sizes.withLock { $0[signal, default: 0] += request.count }
                    return MessageBytes([UInt8]())
                }
            }
        }
    }

    @Test(arguments: [("http://a:4317", false), ("https://a:4317", true), ("a:4317", true)])
    func `a collector is reached with TLS if its address asks for it`(_ address: String, _ encrypts: Bool) throws {
        let options = try OTLPOptions(environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": address])
        #expect((Exports.options(for: options.receiver).tls != nil) == encrypts)
    }

    @Test func `a call of two services makes six spans, four records and some measures`() async throws {
        let network = InMemoryNetwork()
        let collector = Collector()
        let running = try network.start(Server([collector]), as: "collector")
        let registry = MetricRegistry()
        let exports = try Exports(
            ["OTEL_SERVICE_NAME": "greeter"], registry,
            through: Channel(
                "collector", interceptors: [PinnedEndpoint(Endpoint(.memory("collector")))],
                transport: network.transport()))
        let pair = try WatchedPair(observer: CallMetrics(registry), exports: exports)
        _ = try await pair.channel.unary(Greeter.Methods.relay, MessageBytes("Ada".utf8))
        await pair.stop()
        let (spans, records) = await exports.shutDown()
        #expect((spans.exported, spans.dropped) == (6, 0))
        #expect((records.exported, records.dropped) == (4, 0))
        #expect(collector.received.count == 3 && collector.received.values.allSatisfy { $0 > 100 })
        await running.stop(grace: .seconds(10))
    }
}
