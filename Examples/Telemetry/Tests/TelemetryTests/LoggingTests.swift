// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusLogging
import ApusTelemetry
import InMemoryLogging
import Logging
import Synchronization
import TelemetryDemo
import Testing

/// A clock that moves when a test says so.
private final class SteppedClock: MonotonicClock {
    private let nanoseconds = Mutex<Int64>(0)

    var now: MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds.withLock { $0 }) }
    func sleep(until deadline: MonotonicInstant) async throws { throw CancellationError() }
    func advance(seconds: Int64) { nanoseconds.withLock { $0 += seconds * 1_000_000_000 } }
}

@Suite(.timeLimit(.minutes(2))) struct LoggingTests {
    private let handler = InMemoryLogHandler()

    private func logger(_ level: Logger.Level = .debug) -> Logger {
        var logger = Logger(label: "test") { _ in handler }
        logger.logLevel = level
        return logger
    }

    private func call(_ observer: any Observer, _ names: [String], metadata: Metadata = Metadata()) async throws {
        let spans = Spans()
        let pair = try WatchedPair(observer: observer, tracer: spans.tracer())
        for name in names {
            _ = try? await pair.channel.unary(
                Greeter.Methods.relay, MessageBytes(name.utf8), options: CallOptions(metadata: metadata))
        }
        await pair.stop()
    }

    @Test func `each side of each call has a line, and all of one call the same trace`() async throws {
        let rules = AccessLogRules(slow: nil)
        try await call(AccessLog(logger(), rules), ["Ada"], metadata: ["authorization": "Bearer secret"])
        let entries = handler.entries
        #expect(entries.count == 4)
        #expect(Set(entries.map { "\($0.metadata["side"] ?? "") \($0.metadata["rpc"] ?? "")" }).count == 4)
        #expect(entries.allSatisfy { $0.level == .info && $0.metadata["status"] == "OK" })
        #expect(Set(entries.map { "\($0.metadata["trace_id"] ?? "none")" }).count == 1)
        #expect(entries.allSatisfy { $0.metadata["trace_id"] != nil })
        #expect(!"\(entries)".contains("secret"))
    }

    @Test func `a failed call says why`() async throws {
        try await call(AccessLog(logger(), AccessLogRules(slow: nil)), [""])
        let entries = handler.entries.filter { $0.metadata["side"] == "client" }
        #expect(entries.count == 2)
        #expect(entries.allSatisfy { $0.level == .notice && $0.metadata["status"] == "INVALID_ARGUMENT" })
        #expect(entries.allSatisfy { "\($0.metadata["error"] ?? "")".contains("who are you?") })
    }

    @Test func `a level that is off costs no line`() async throws {
        try await call(AccessLog(logger(.warning), AccessLogRules(slow: nil)), ["Ada", ""])
        #expect(handler.entries.isEmpty)
    }

    @Test func `a storm is cut, and the log says so`() {
        let clock = SteppedClock()
        let log = EventLog(logger(), linesPerSecond: 2, clock: clock)
        for _ in 0..<10 { log.policyEvent(.readmitted(Endpoint(host: "127.0.0.1", port: 1))) }
        #expect(handler.entries.count == 2)
        #expect(handler.entries.allSatisfy { $0.metadata["lines_left_out"] == nil })
        clock.advance(seconds: 1)
        for _ in 0..<2 { log.policyEvent(.readmitted(Endpoint(host: "127.0.0.1", port: 1))) }
        #expect(handler.entries.map { $0.metadata["lines_left_out"].map { "\($0)" } } == [nil, nil, "8", nil])
    }

    @Test func `a storm of good calls leaves an error its line`() async throws {
        let log = AccessLog(logger(), AccessLogRules(slow: nil, linesPerSecond: 1), clock: SteppedClock())
        try await call(log, Array(repeating: "Ada", count: 5) + [""])
        let levels = handler.entries.map(\.level)
        #expect(levels.count { $0 == .info } == 1)
        #expect(levels.count { $0 == .notice } == 1)
    }

    @Test func `a call that never had a handler has a line`() async throws {
        let network = InMemoryNetwork()
        var options = ServerOptions()
        options.maximumRequestBytes = 4
        let log = AccessLog(logger(), AccessLogRules(slow: nil))
        let running = try network.start(Server([Greeter()], observer: log), as: "greeter", options: options)
        let channel = Channel(
            "greeter", interceptors: [PinnedEndpoint(Endpoint(.memory("greeter")))], transport: network.transport())
        let nothing = Method<BytesCodec, BytesCodec>(service: "demo.Greeter", name: "Nothing", kind: .unary)
        for method in [Greeter.Methods.greet, nothing] {
            await #expect(throws: RPCError.self) { try await channel.unary(method, MessageBytes("Ada Lovelace".utf8)) }
        }
        channel.close()
        await running.stop(grace: .seconds(10))
        let lines = handler.entries.map { entry in
            ["rpc", "status"].map { "\(entry.metadata[$0] ?? "-")" }.joined(separator: " ")
        }
        #expect(lines == ["demo.Greeter/Greet RESOURCE_EXHAUSTED", "other UNIMPLEMENTED"])
        #expect(handler.entries.allSatisfy { $0.metadata["side"] == "server" && $0.metadata["peer"] != nil })
    }

    @Test func `connections and lists are events`() async throws {
        let log = EventLog(logger(.info))
        try await call(log, ["Ada"])
        log.resolved("users", candidates: Candidates([]))
        let messages = handler.entries.map { "\($0.message)" }
        #expect(messages.count { $0 == "connectivity changed" } >= 2)
        #expect(handler.entries.last?.level == .warning)
    }
}
