// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry
import ApusTestSupport
import Testing

@Suite struct EventLineTests {
    @Test func `a connection that fails is a warning and one that comes is news`() {
        let endpoint = Endpoint.local(1)
        #expect(LogLine(endpoint, from: .connecting, to: .transientFailure).severity == .warning)
        #expect(LogLine(endpoint, from: .connecting, to: .ready).severity == .info)
        #expect(LogLine(endpoint, from: .ready, to: .idle).severity == .info)
        #expect(LogLine(endpoint, from: .idle, to: .connecting).severity == .debug)
        let line = LogLine(endpoint, from: .ready, to: .idle)
        #expect((line["endpoint"], line["from"], line["to"]) == ("127.0.0.1:1", "ready", "idle"))
    }

    @Test func `an empty list of endpoints is a warning`() {
        #expect(LogLine(resolved: "users", []).severity == .warning)
        let line = LogLine(resolved: "users", (1...30).map { .local($0) })
        #expect(line.severity == .info)
        #expect(line["count"] == "30")
        #expect(line["endpoints"]?.split(separator: " ").count == 10)
    }

    @Test(
        arguments: [
            (PolicyEvent.breaker(name: "b", endpoint: nil, method: .unary, from: nil, to: .open), LogSeverity.warning),
            (.breaker(name: "b", endpoint: nil, method: nil, from: .open, to: .closed), .info),
            (.ejected(.local(1), for: .seconds(3)), .warning), (.readmitted(.local(1)), .info),
            (.health(.local(1), isServing: false), .warning), (.health(.local(1), isServing: true), .info),
            (.configurationApplied(source: "f"), .info), (.configurationRefused(source: "f", reason: "r\n"), .error),
        ])
    func `what a policy does has its severity and its place`(_ event: PolicyEvent, _ severity: LogSeverity) {
        let line = LogLine(event)
        #expect(line.severity == severity)
        #expect(!line.fields.isEmpty)
        #expect(line.fields.allSatisfy { !$0.value.contains("\n") })
    }

    @Test func `a server's event is its own line`() {
        let event = ServerEvent.connectionRefused(peer: .host("192.0.2.1", port: 9), reason: "too\nmany")
        #expect(LogLine(event).message == "the connection of 192.0.2.1:9 was closed: too\\u{a}many")
        #expect(LogLine(.outOfDescriptors(listener: .memory("x"))).severity == .error)
    }

    @Test func `a retry tells of the try that failed and the wait`() {
        var call = ClientCall(method: .unary, target: "users", request: .one(MessageBytes([])))
        call.attempt = 2
        let line = LogLine(retrying: call, after: RPCError(.unavailable, "gone"), delay: .milliseconds(20))
        #expect((line["attempt"], line["delay"], line["error"]) == ("2", "0.020000", "UNAVAILABLE: gone"))
        #expect(LogLine(waiting: call, for: .local(1))["endpoint"] == "127.0.0.1:1")
    }
}
