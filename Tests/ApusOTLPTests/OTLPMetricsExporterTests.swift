// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusOTLP
import ApusTelemetry
import ApusTestSupport
import ApusTransport
import Synchronization
import Testing

/// An exporter and a receiver that plays a script, over real HTTP/2 in memory.
@Suite(.timeLimit(.minutes(5))) struct OTLPMetricsExporterTests {
    /// Keeps what it gets, and refuses as often as it is told.
    private final class Receiver: MetricsService.Handler {
        private struct State {
            var values: [Int64] = []
            var tokens: [String?] = []
            var failures: [Status.Code] = []
        }

        private let state = Mutex(State())

        var values: [Int64] { state.withLock { $0.values } }
        var tokens: [String?] { state.withLock { $0.tokens } }

        func fail(_ codes: Status.Code...) { state.withLock { $0.failures += codes } }

        func export(
            _ request: ExportMetricsServiceRequest, call: ServerCall
        ) async throws -> ExportMetricsServiceResponse {
            let failure = state.withLock { state -> Status.Code? in
                state.tokens.append(call.metadata["x-token"])
                guard state.failures.isEmpty else { return state.failures.removeFirst() }
                for metric in request.resourceMetrics.flatMap(\.scopeMetrics).flatMap(\.metrics) {
                    guard case .sum(let sum)? = metric.data else { continue }
                    for case .asInt(let value)? in sum.dataPoints.map(\.value) { state.values.append(value) }
                }
                return nil
            }
            if let failure { throw RPCError(failure, "scripted") }
            return ExportMetricsServiceResponse(partialSuccess: ExportMetricsPartialSuccess(rejectedDataPoints: 1))
        }
    }

    private let network = InMemoryNetwork()
    private let clock = ManualClock()
    private let registry = MetricRegistry()
    private let receiver = Receiver()

    private func channel() -> Channel {
        Channel(
            "collector", interceptors: [PinnedEndpoint(Endpoint(.memory("collector")))],
            transport: network.transport())
    }

    private func exporter(_ channel: Channel) -> OTLPMetricsExporter {
        // Real connections on a busy machine: the deadline is none of these tests' business.
        let options = OTLPOptions(
            interval: .seconds(60), timeout: .seconds(600), headers: ["x-token": "secret"])
        return OTLPMetricsExporter(
            registry, through: channel, options, random: SplitMixRandom(seed: 1), clock: clock, wallClock: { 7 })
    }

    private func count(_ number: Int) {
        registry.counter(ApusTelemetry.Metric("calls", .counter, .count("call"), "Calls."), []).add(number)
    }

    /// Lets the time until the next export pass, and waits until it has ended.
    private func pass(_ time: Duration, andWaitsAgain: Bool = true) async {
        await clock.waitForSleepers()
        clock.advance(by: time)
        if andWaitsAgain { await clock.waitForSleepers() }
    }

    @Test func `each interval all values are sent, and at the end once more`() async throws {
        let running = try network.start(Server([receiver]), as: "collector")
        let channel = channel()
        let exporter = exporter(channel)
        count(1)
        await pass(.seconds(60))
        #expect(receiver.values == [1])
        count(2)
        await pass(.seconds(60))
        #expect(receiver.values == [1, 3])
        count(4)
        await exporter.shutDown(within: .seconds(600))
        #expect(receiver.values == [1, 3, 7])
        #expect(receiver.tokens == ["secret", "secret", "secret"])
        let counts = exporter.counts
        #expect((counts.exported, counts.failed, counts.rejected) == (3, 0, 3))
        await exporter.shutDown(within: .seconds(600))
        #expect(receiver.values.count == 3)
        channel.close()
        await running.stop(grace: .seconds(10))
    }

    @Test func `an export that failed is made good by the next, which comes sooner`() async throws {
        receiver.fail(.unavailable, .unavailable)
        let running = try network.start(Server([receiver]), as: "collector")
        let channel = channel()
        let exporter = exporter(channel)
        count(1)
        await pass(.seconds(60))
        #expect(exporter.counts.failed == 1)
        // The longest waits that chance may choose.
        await pass(.milliseconds(1200))
        await pass(.milliseconds(1920))
        #expect(receiver.values == [1])
        let counts = exporter.counts
        #expect((counts.exported, counts.failed) == (1, 2))
        await exporter.shutDown(within: .seconds(600))
        channel.close()
        await running.stop(grace: .seconds(10))
    }

    @Test func `a receiver that is not there harms nobody, and is counted`() async throws {
        let channel = channel()
        let exporter = exporter(channel)
        count(1)
        await pass(.seconds(60))
        // Too little for another try: the second wait is 1.2 seconds at least.
        await exporter.shutDown(within: .seconds(1))
        let counts = exporter.counts
        #expect((counts.exported, counts.failed, counts.rejected) == (0, 2, 0))
        channel.close()
    }

    @Test func `a last export that is refused is made again while there is time`() async throws {
        receiver.fail(.unavailable, .unavailable)
        let running = try network.start(Server([receiver]), as: "collector")
        let channel = channel()
        let exporter = exporter(channel)
        count(1)
        await clock.waitForSleepers()
        let ending = Task { await exporter.shutDown(within: .seconds(600)) }
        for (failed, wait) in [(1, Duration.milliseconds(1200)), (2, .milliseconds(1920))] {
            while exporter.counts.failed < failed { await Task.yield() }
            await pass(wait, andWaitsAgain: false)
        }
        await ending.value
        #expect(receiver.values == [1])
        let counts = exporter.counts
        #expect((counts.exported, counts.failed) == (1, 2))
        channel.close()
        await running.stop(grace: .seconds(10))
    }

    @Test func `a last export that nobody would ever take is not made again`() async throws {
        receiver.fail(.invalidArgument)
        let running = try network.start(Server([receiver]), as: "collector")
        let channel = channel()
        let exporter = exporter(channel)
        count(1)
        await clock.waitForSleepers()
        await exporter.shutDown(within: .seconds(600))
        #expect(receiver.tokens.count == 1)
        #expect(exporter.counts.failed == 1)
        channel.close()
        await running.stop(grace: .seconds(10))
    }
}
