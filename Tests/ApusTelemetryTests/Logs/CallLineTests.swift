// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTelemetry
import ApusTestSupport
import Synchronization
import Testing

@Suite struct CallLineTests {
    /// Makes the lines of calls.
    private final class Lines: Observer {
        let all = Mutex<[LogLine]>([])
        let rules: AccessLogRules

        init(_ rules: AccessLogRules) { self.rules = rules }

        func callEnded(_ call: ClientCall, error: RPCError?) {
            all.withLock { $0.append(LogLine(call, error: error, severity: .info, rules: rules)) }
        }
    }

    private let script = ScriptedTransport()
    private let clock = ManualClock()

    private func line(
        _ rules: AccessLogRules = AccessLogRules(), _ options: CallOptions = CallOptions()
    ) async throws -> LogLine {
        let lines = Lines(rules)
        let channel = Channel(
            "users", interceptors: [PinnedEndpoint(.local(7))], transport: script, observer: lines, clock: clock)
        _ = try? await channel.ask(options)
        return try #require(lines.all.withLock { $0.first })
    }

    @Test func `a line has what one asks first`() async throws {
        script.expect { [clock] call in
            call.record?.messageSent(3)
            call.record?.messageReceived(40)
            call.record?.traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
            clock.advance(by: .microseconds(1_234_567))
        }.reply()
        let line = try await line()
        let expected = [
            "side": "client", "rpc": "test.Service/Unary", "target": "users", "kind": "unary",
            "peer": "127.0.0.1:7", "status": "OK", "seconds": "1.234567", "slow": "true", "sent_bytes": "3",
            "received_bytes": "40", "sent_messages": "1", "received_messages": "1", "attempts": "1",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        ]
        #expect(Dictionary(line.fields.map { ($0.key, $0.value) }) { first, _ in first } == expected)
    }

    @Test func `an error's text cannot forge another line`() async throws {
        script.expect().fail(RPCError(.internal, "bad\n2026-01-01 info all is well\u{1B}[2J"))
        let error = try #require(try await line()["error"])
        #expect(error.contains("bad\\u{a}2026-01-01 info all is well\\u{1b}[2J"))
        #expect(!error.unicodeScalars.contains { $0.value < 0x20 })
    }

    @Test func `values of metadata are redacted unless their keys are allowed`() async throws {
        var metadata: Metadata = ["authorization": "Bearer secret", "x-tenant": "7"]
        metadata.add("token-bin", binary: [1, 2, 3])
        metadata.add("shown-bin", binary: [1, 2, 3])
        script.otherwise.reply()
        let rules = AccessLogRules(shownMetadata: ["X-Tenant", "shown-bin"])
        let options = CallOptions(metadata: metadata)
        #expect(
            try await line(rules, options)["metadata"]
                == "authorization=<redacted> x-tenant=7 token-bin=<redacted> shown-bin=<3 bytes>")
        let hidden = try #require(try await line(AccessLogRules(), options)["metadata"])
        #expect(!hidden.contains("secret") && !hidden.contains("=7"))
    }

    @Test func `much metadata makes no long line`() {
        var metadata = Metadata()
        for index in 0..<100 { metadata.add("key-\(index)", String(repeating: "x", count: 1000)) }
        let text = LogLine.redacted(metadata, shown: Set((0..<100).map { "key-\($0)" }))
        #expect(text.utf8.count < 8000)
        #expect(text.hasSuffix(" and 68 more"))
    }

    @Test func `a call that was refused at its headers has a line, without a method perhaps`() {
        let peer = Endpoint.Address.host("192.0.2.1", port: 9)
        let known = LogLine(refused: .unary, peer: peer, Status(.resourceExhausted, "too\nmany"), severity: .warning)
        #expect(known["rpc"] == "test.Service/Unary")
        #expect(known["peer"] == "192.0.2.1:9")
        #expect(known["status"] == "RESOURCE_EXHAUSTED")
        #expect(known["error"] == "RESOURCE_EXHAUSTED: too\\u{a}many")
        let unknown = LogLine(refused: nil, peer: peer, Status(.unimplemented, "unknown method"), severity: .error)
        #expect(unknown["rpc"] == "other")
        #expect(unknown["kind"] == nil)
    }

    @Test func `a server's line names the peer and takes the trace from the metadata`() {
        let call = ServerCall(
            method: .serverStreaming,
            metadata: ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"], deadline: .none,
            peer: .host("192.0.2.1", port: 9), request: .one(MessageBytes([])), responder: NullResponder())
        let line = LogLine(call, error: RPCError(.notFound, "no such user"), severity: .notice, rules: AccessLogRules())
        #expect(line["side"] == "server")
        #expect(line["kind"] == "server_streaming")
        #expect(line["peer"] == "192.0.2.1:9")
        #expect(line["status"] == "NOT_FOUND")
        #expect(line["error"] == "NOT_FOUND: no such user")
        #expect(line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736")
    }
}
