// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import ApusTransport
import Testing

@testable import ApusOTLP

/// Services that trace, and a collector that plays a script, over real HTTP/2 in memory.
@Suite(.timeLimit(.minutes(5))) struct OTLPTracesExporterTests {
    private let network = InMemoryNetwork()
    private let clock = ManualClock()
    private let collector = ScriptedCollector()

    private func exporter(
        _ channel: Channel, _ sampler: TraceSampler = .alwaysOn, _ limits: OTLPBatchLimits = .traces
    ) -> OTLPTracesExporter {
        OTLPTracesExporter(
            through: channel, OTLPOptions(timeout: .seconds(600)), sampler: sampler, limits: limits,
            random: SplitMixRandom(seed: 1), clock: clock, wallClock: { 7 })
    }

    private func traced(_ name: String, _ traces: OTLPTracesExporter) -> Channel {
        network.channel(to: name, outer: [OTLPClientTracing(traces)], inner: [OTLPAttemptTracing(traces)])
    }

    /// Lets the exporter's timer fire, and waits until it sleeps again.
    private func pass(_ time: Duration) async {
        await clock.waitForSleepers()
        clock.advance(by: time)
        await clock.waitForSleepers()
    }

    @Test func `a call over two services is one trace, each span in its parent`() async throws {
        let running = try network.start(Server([collector]), as: "collector")
        let away = network.channel(to: "collector")
        let traces = exporter(away)
        let inner = traced("second", traces)
        let servers = [
            try network.start(
                Server([Relay(other: inner)], interceptors: [OTLPServerTracing(traces)]), as: "first"),
            try network.start(Server([Relay(other: nil)], interceptors: [OTLPServerTracing(traces)]), as: "second"),
        ]
        let channel = traced("first", traces)
        await #expect(throws: RPCError.self) { try await channel.unary(Relay.method, MessageBytes("abc".utf8)) }
        for server in servers { await server.stop(grace: .seconds(10)) }
        await traces.shutDown(within: .seconds(600))

        let spans = collector.spans
        #expect(
            spans.map(\.name).sorted()
                == ["Attempt.", "Attempt.", "Recv.", "Recv.", "Sent.", "Sent."].map { $0 + "demo.Relay.Pass" })
        #expect(Set(spans.map(\.traceId)).count == 1 && Set(spans.map(\.spanId)).count == 6)
        var path: [String] = []
        var current = spans.first { $0.parentSpanId.isEmpty }
        while let span = current, path.count < 10 {
            path.append(String(span.name.prefix { $0 != "." }))
            current = spans.first { $0.parentSpanId == span.spanId }
        }
        #expect(path == ["Sent", "Attempt", "Recv", "Sent", "Attempt", "Recv"])
        for span in spans {
            #expect(span.kind == (span.name.hasPrefix("Recv") ? .server : .client))
            #expect(span.status == StatusMessage(message: "NOT_FOUND, nobody there", code: .error))
            #expect(span.attributes.contains(KeyValue("rpc.grpc.status_code", Int64(5))))
            #expect((span.startTimeUnixNano, span.endTimeUnixNano) == (7, 7))
        }
        #expect(traces.counts == OTLPBatchCounts(exported: 6, rejected: 1, dropped: 0, failures: 0, waiting: 0))
        for channel in [channel, inner, away] { channel.close() }
        await running.stop(grace: .seconds(10))
    }

    /// Answers, and says on whose actor it was asked.
    private struct Place: ClientInterceptor {
        func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
            let isOnMain = #isolation === MainActor.shared
            return ClientResponse(
                metadata: Metadata(), body: .one(MessageBytes([isOnMain ? 1 : 0]), trailers: Metadata()))
        }
    }

    @MainActor @Test(arguments: [TraceSampler.alwaysOn, .alwaysOff])
    func `a caller on the main actor pays for no change of thread`(_ sampler: TraceSampler) async throws {
        let away = network.channel(to: "collector")
        let traces = exporter(away, sampler)
        let channel = network.channel(to: "first", outer: [OTLPClientTracing(traces), Place()])
        let answer = try await channel.unary(Relay.method, MessageBytes("abc".utf8)).message
        #expect(answer.withUnsafeBytes { Array($0) } == [1])
        for channel in [channel, away] { channel.close() }
    }

    @Test func `each message of a stream is an event`() async throws {
        let running = try network.start(Server([collector]), as: "collector")
        let away = network.channel(to: "collector")
        let traces = exporter(away)
        let server = try network.start(
            Server([Relay(other: nil)], interceptors: [OTLPServerTracing(traces)]), as: "first")
        let channel = traced("first", traces)
        let call = channel.bidirectional(Relay.spell)
        let responses = try await {
            try await call.requests.write(MessageBytes("a".utf8))
            return try await call.responses()
        }()
        #expect(try await responses.next() != nil)
        try await call.requests.write(MessageBytes("bc".utf8))
        #expect(try await responses.next() != nil)
        call.requests.finish()
        #expect(try await responses.next() == nil)
        await server.stop(grace: .seconds(10))
        await traces.shutDown(within: .seconds(600))
        for prefix in ["Attempt", "Recv"] {
            let span = try #require(collector.spans.first { $0.name.hasPrefix(prefix) })
            let sizes = span.events.compactMap { $0.attributes.last?.value?.value }
            #expect(sizes.sorted { "\($0)" < "\($1)" } == [1, 1, 2, 2].map { .intValue($0) })
            #expect(span.status?.code == .ok)
        }
        for channel in [channel, away] { channel.close() }
        await running.stop(grace: .seconds(10))
    }

    @Test func `what is not sampled makes no span, and says so to the server`() async throws {
        let running = try network.start(Server([collector]), as: "collector")
        let away = network.channel(to: "collector")
        let (none, all) = (exporter(away, .alwaysOff), exporter(away, .parentBased(root: .alwaysOn)))
        let server = try network.start(
            Server([Relay(other: nil)], interceptors: [OTLPServerTracing(all)]), as: "first")
        let channel = traced("first", none)
        await #expect(throws: RPCError.self) { try await channel.unary(Relay.method, MessageBytes("abc".utf8)) }
        await server.stop(grace: .seconds(10))
        for traces in [none, all] { await traces.shutDown(within: .seconds(600)) }
        #expect(collector.requests == 0)
        for channel in [channel, away] { channel.close() }
        await running.stop(grace: .seconds(10))
    }

    @Test func `a receiver that asks for time gets it, and then the same batch`() async throws {
        collector.fail(try .throttled(seconds: 20))
        let running = try network.start(Server([collector]), as: "collector")
        let away = network.channel(to: "collector")
        let traces = exporter(away)
        traces.add(Span(name: "one"))
        await pass(.seconds(5))
        #expect((collector.requests, traces.counts.failures, traces.counts.waiting) == (1, 1, 1))
        await pass(.seconds(19))
        #expect(collector.requests == 1)
        await pass(.seconds(1))
        #expect(collector.spans.map(\.name) == ["one"])
        #expect(traces.counts == OTLPBatchCounts(exported: 1, rejected: 1, dropped: 0, failures: 1, waiting: 0))
        await traces.shutDown(within: .seconds(600))
        away.close()
        await running.stop(grace: .seconds(10))
    }

    @Test func `a full batch does not wait`() async throws {
        let running = try network.start(Server([collector]), as: "collector")
        let away = network.channel(to: "collector")
        let traces = exporter(away, .alwaysOn, OTLPBatchLimits(capacity: 4, batch: 2, delay: .seconds(5)))
        for name in ["one", "two"] { traces.add(Span(name: name)) }
        while traces.counts.exported < 2 { await Task.yield() }
        #expect(collector.spans.map(\.name).sorted() == ["one", "two"])
        await traces.shutDown(within: .seconds(600))
        away.close()
        await running.stop(grace: .seconds(10))
    }

    @Test func `a receiver that is not there costs what has no room, and is counted`() async throws {
        let away = network.channel(to: "collector")
        let traces = exporter(away, .alwaysOn, OTLPBatchLimits(capacity: 4, batch: 4, delay: .seconds(5)))
        for _ in 0..<10 { traces.add(Span(name: "one")) }
        #expect((traces.counts.waiting, traces.counts.dropped) == (4, 6))
        while traces.counts.failures == 0 { await Task.yield() }
        // No time to come back.
        await traces.shutDown(within: .milliseconds(1))
        traces.add(Span(name: "late"))
        #expect((traces.counts.waiting, traces.counts.dropped, traces.counts.exported) == (0, 11, 0))
        away.close()
    }
}
