// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusOTLP
import ApusTelemetry
import Foundation
import Testing

/// Exports to a receiver that decodes with OpenTelemetry's own Python package.
@Suite(.timeLimit(.minutes(5))) struct OTLPCollectorTests {
    private struct Echo: Service {
        static let method = Method<BytesCodec, BytesCodec>(service: "test.Echo", name: "Echo", kind: .unary)
        var routes: [Route] { [.unary(Self.method) { request, _ in request }] }
    }

    private let options = OTLPOptions(
        resource: ["service.name": "echo"], timeout: .seconds(60), compression: .gzip)
    private let soon = OTLPBatchLimits(delay: .milliseconds(20))
    // Nothing goes before the end.
    private let late = OTLPBatchLimits(delay: .seconds(600))

    private func channel(_ port: Int) -> Channel { Channel(to: .host("127.0.0.1", port: port)) }

    /// Makes one call of a service that is watched.
    private func call(_ traces: OTLPTracesExporter, _ observer: (any Observer)?) async throws {
        let network = InMemoryNetwork()
        let server = try network.start(
            Server([Echo()], interceptors: [OTLPServerTracing(traces)], observer: observer), as: "echo")
        let channel = Channel(
            "echo",
            interceptors: [
                OTLPClientTracing(traces), PinnedEndpoint(Endpoint(.memory("echo"))), OTLPAttemptTracing(traces),
            ], transport: network.transport(), observer: observer)
        _ = try await channel.unary(Echo.method, MessageBytes("hello".utf8))
        await server.stop(grace: .seconds(10))
        channel.close()
    }

    @Test func `spans arrive, once they were refused and asked to come back`() async throws {
        let collector = try await OTLPCollector(refusals: 1)
        let away = channel(collector.port)
        // The whole call is one batch.
        let limits = OTLPBatchLimits(batch: 3, delay: .seconds(600))
        let traces = OTLPTracesExporter(through: away, options, sampler: .alwaysOn, limits: limits)
        try await call(traces, nil)
        let refused = try await collector.next()
        let taken = try await collector.next()
        #expect((refused.refused, taken.refused) == (true, false))
        #expect(refused.items.compactMap(\.span) == taken.items.compactMap(\.span))
        var spans: [String: OTLPCollector.Request.Item] = [:]
        for span in taken.items { spans[span.name] = span }
        let sent = try #require(spans["Sent.test.Echo.Echo"])
        let attempt = try #require(spans["Attempt.test.Echo.Echo"])
        let received = try #require(spans["Recv.test.Echo.Echo"])
        #expect((sent.parent, attempt.parent, received.parent) == ("", sent.span, attempt.span))
        #expect((sent.kind, attempt.kind, received.kind) == (.number(3), .number(3), .number(2)))
        for span in [sent, attempt, received] {
            #expect(span.trace == sent.trace && span.trace?.count == 32 && span.span?.count == 16)
            #expect(span.service == "echo" && span.status == 1)
            #expect(span.attributes?["rpc.grpc.status_code"] == "0" && span.attributes?["rpc.system"] == "grpc")
            #expect((0...60).contains(span.seconds ?? -1))
        }
        #expect(Set(received.events ?? []) == ["Inbound message read", "Outbound message sent"])
        await traces.shutDown()
        let counts = traces.counts
        #expect((counts.exported, counts.dropped, counts.failures, counts.waiting) == (3, 0, 1, 0))
        away.close()
        collector.process.stop()
    }

    @Test func `log records and metrics arrive, records with their trace`() async throws {
        let collector = try await OTLPCollector()
        let away = channel(collector.port)
        let logs = OTLPLogsExporter(through: away, options, limits: late)
        let traces = OTLPTracesExporter(through: away, options, sampler: .alwaysOn, limits: late)
        try await call(traces, OTLPAccessLog(logs, AccessLogRules(slow: nil)))
        await logs.shutDown(within: .seconds(60))
        let records = try await collector.next()
        #expect(records.signal == "logs" && !records.refused && records.items.count == 2)
        for record in records.items {
            #expect((record.service, record.name, record.severity) == ("echo", "call ended", "INFO"))
            #expect(record.trace?.count == 32 && record.trace == records.items[0].trace && record.span?.count == 16)
            #expect(record.attributes?["rpc"] == "test.Echo/Echo" && record.attributes?["status"] == "OK")
        }
        await traces.shutDown(within: .seconds(60))
        let spans = try await collector.next()
        #expect(spans.signal == "traces" && spans.items.contains { $0.span == records.items[0].span })

        let registry = MetricRegistry()
        let metrics = OTLPMetricsExporter(registry, through: away, options)
        registry.counter(ApusTelemetry.Metric("things", .counter, .count("thing"), "Things."), []).add(3)
        await metrics.shutDown(within: .seconds(60))
        let measured = try await collector.next()
        #expect(measured.signal == "metrics")
        #expect(measured.items.map(\.name) == ["things"] && measured.items.first?.kind == .word("sum"))
        away.close()
        collector.process.stop()
    }

    @Test func `a receiver that is killed and comes back gets what waited`() async throws {
        let first = try await OTLPCollector()
        let away = channel(first.port)
        let logs = OTLPLogsExporter(through: away, options, limits: soon)
        let log = OTLPEventLog(logs, linesPerSecond: 1000)
        log.policyEvent(.configurationApplied(source: "one"))
        #expect(try await first.next().items.first?.attributes?["source"] == "one")
        // Killed before it has answered, it would get this again.
        while logs.counts.exported == 0 { try await Task.sleep(for: .milliseconds(5)) }
        first.process.stop()
        _ = await first.process.end()
        log.policyEvent(.configurationApplied(source: "two"))
        while logs.counts.failures == 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(logs.counts.dropped == 0 && logs.counts.waiting == 1)
        let second = try await OTLPCollector(port: first.port)
        #expect(try await second.next().items.first?.attributes?["source"] == "two")
        await logs.shutDown(within: .seconds(60))
        let counts = logs.counts
        #expect((counts.exported, counts.dropped, counts.waiting) == (2, 0, 0))
        away.close()
        second.process.stop()
    }
}
