// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry
import Testing

@Suite struct AccessLogRulesTests {
    @Test(
        arguments: [
            (Status.Code.ok, LogSeverity.info), (.cancelled, .notice), (.invalidArgument, .notice),
            (.notFound, .notice), (.permissionDenied, .notice), (.deadlineExceeded, .warning),
            (.resourceExhausted, .warning), (.unavailable, .warning), (.unknown, .error), (.internal, .error),
            (.unimplemented, .error), (.dataLoss, .error),
        ])
    func `the severity follows the status`(_ code: Status.Code, _ severity: LogSeverity) {
        #expect(AccessLogRules().severity(code, .zero, random: 0) == severity)
    }

    @Test func `a slow call is a warning at least, and is always written`() {
        let rules = AccessLogRules(slow: .seconds(1), share: 0)
        #expect(rules.severity(.ok, .seconds(1), random: 0) == nil)
        #expect(rules.severity(.ok, .milliseconds(1001), random: 0.99) == .warning)
        #expect(rules.severity(.notFound, .seconds(2), random: 0) == .warning)
        #expect(rules.severity(.internal, .seconds(2), random: 0) == .error)
        #expect(AccessLogRules(slow: nil).severity(.ok, .seconds(1000), random: 0) == .info)
        #expect(rules.severity(.ok, nil, random: 0) == nil)
    }

    @Test func `a share of the good calls is written, and each bad one`() {
        let rules = AccessLogRules(share: 0.25)
        let written = (0..<100).count { rules.severity(.ok, .zero, random: Double($0) / 100) != nil }
        #expect(written == 25)
        #expect(rules.severity(.notFound, .zero, random: 0.99) == .notice)
    }
}
