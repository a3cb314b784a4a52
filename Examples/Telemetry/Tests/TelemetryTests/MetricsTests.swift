// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusMetrics
import ApusTelemetry
import CoreMetrics
import MetricsTestKit
import TelemetryDemo
import Testing

@Suite(.timeLimit(.minutes(2))) struct MetricsTests {
    private let factory = TestMetrics()

    @Test func `calls are measured with swift-metrics' instruments`() async throws {
        let pair = try WatchedPair(observer: CallMetrics(MetricsBridge(factory)), tracer: Spans().tracer())
        for _ in 0..<3 { _ = try await pair.channel.unary(Greeter.Methods.greet, MessageBytes("Ada".utf8)) }
        await pair.stop()
        let method = ("grpc.method", "demo.Greeter/Greet")
        let (target, status) = (("grpc.target", "first"), ("grpc.status", "OK"))
        let started = try factory.expectCounter("grpc.client.attempt.started", [method, target])
        #expect(started.totalValue == 3)
        let duration = try factory.expectTimer("grpc.client.call.duration", [method, target, status])
        #expect(duration.values.count == 3)
        #expect(duration.values.allSatisfy { $0 > 0 })
        let sent = try factory.expectRecorder("grpc.server.call.rcvd_total_compressed_message_size", [method, status])
        #expect(sent.values == [3, 3, 3])
    }

    @Test func `gauges go up and down`() throws {
        let gauge = MetricsBridge(factory).gauge(Metric("test.gauge", .gauge, .count("thing"), ""), [])
        gauge.set(5)
        gauge.add(2)
        gauge.add(-4)
        #expect(try factory.expectMeter("test.gauge").values == [5, 7, 3])
    }
}
