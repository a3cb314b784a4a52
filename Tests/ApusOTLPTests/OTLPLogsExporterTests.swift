// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTelemetry
import ApusTestSupport
import ApusTransport
import Testing

@testable import ApusOTLP

@Suite(.timeLimit(.minutes(5))) struct OTLPLogsExporterTests {
    private let network = InMemoryNetwork()
    private let clock = ManualClock()
    private let collector = ScriptedCollector()

    @Test func `each call is a record on both sides, in the trace and the span of that side`() async throws {
        let running = try network.start(Server([collector]), as: "collector")
        let away = network.channel(to: "collector")
        let random = SplitMixRandom(seed: 1)
        let traces = OTLPTracesExporter(
            through: away, OTLPOptions(timeout: .seconds(600)), sampler: .alwaysOn, limits: .traces, random: random,
            clock: clock, wallClock: { 7 })
        let logs = OTLPLogsExporter(
            through: away, OTLPOptions(timeout: .seconds(600)), limits: .logs, random: random, clock: clock,
            wallClock: { 8 })
        let log = OTLPAccessLog(logs, AccessLogRules(slow: nil))
        let server = try network.start(
            Server([Relay(other: nil)], interceptors: [OTLPServerTracing(traces)], observer: log), as: "first")
        let channel = network.channel(
            to: "first", outer: [OTLPClientTracing(traces)], inner: [OTLPAttemptTracing(traces)], observer: log)
        await #expect(throws: RPCError.self) { try await channel.unary(Relay.method, MessageBytes("abc".utf8)) }
        await server.stop(grace: .seconds(10))
        await logs.shutDown(within: .seconds(600))
        await traces.shutDown(within: .seconds(600))

        let records = collector.records
        #expect(records.count == 2)
        for (side, prefix) in [("client", "Sent"), ("server", "Recv")] {
            let record = try #require(records.first { $0.attributes.contains(KeyValue("side", side)) })
            let span = try #require(collector.spans.first { $0.name.hasPrefix(prefix) })
            #expect(record.traceId == span.traceId && record.spanId == span.spanId && record.flags == 1)
            #expect((record.severityNumber, record.severityText) == (.info2, "NOTICE"))
            #expect(record.body == AnyValue(value: .stringValue("call ended")))
            #expect(record.attributes.contains(KeyValue("status", "NOT_FOUND")))
            #expect(!record.attributes.contains { $0.key == "trace_id" })
            #expect(record.timeUnixNano == 8)
        }
        for channel in [channel, away] { channel.close() }
        await running.stop(grace: .seconds(10))
    }

    @Test func `events are records without a span, and those for debugging are none`() async throws {
        let running = try network.start(Server([collector]), as: "collector")
        let away = network.channel(to: "collector")
        let logs = OTLPLogsExporter(through: away, OTLPOptions(timeout: .seconds(600)), clock: clock)
        let log = OTLPEventLog(logs, linesPerSecond: 2, clock: clock)
        log.connectivityChanged(Endpoint(.memory("a")), from: .idle, to: .connecting)
        for _ in 0..<5 { log.connectivityChanged(Endpoint(.memory("a")), from: .connecting, to: .transientFailure) }
        clock.advance(by: .seconds(1))
        log.policyEvent(.configurationRefused(source: "file", reason: "broken"))
        await logs.shutDown(within: .seconds(600))
        let records = collector.records
        #expect(records.map(\.severityText) == ["WARN", "WARN", "ERROR"])
        #expect(records.last?.attributes.contains(KeyValue("lines_left_out", Int64(3))) == true)
        #expect(records.allSatisfy { $0.traceId.isEmpty && $0.spanId.isEmpty && $0.flags == 0 })
        away.close()
        await running.stop(grace: .seconds(10))
    }
}
