// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry
import ApusTestSupport
import Testing

@Suite struct LogRateTests {
    private let clock = ManualClock()

    private func admit(_ rate: inout LogRate, times: Int) -> [Int?] {
        (0..<times).map { _ in rate.admit(at: clock.now) }
    }

    @Test func `a second's lines pass at once, and no more`() {
        var rate = LogRate(linesPerSecond: 3)
        #expect(admit(&rate, times: 5) == [0, 0, 0, nil, nil])
    }

    @Test func `the line after a gap tells how many were left out`() {
        var rate = LogRate(linesPerSecond: 2)
        #expect(admit(&rate, times: 6) == [0, 0, nil, nil, nil, nil])
        clock.advance(by: .milliseconds(499))
        #expect(admit(&rate, times: 1) == [nil])
        clock.advance(by: .milliseconds(1))
        #expect(admit(&rate, times: 2) == [5, nil])
        clock.advance(by: .milliseconds(500))
        #expect(admit(&rate, times: 1) == [1])
    }

    @Test func `a long silence saves up one second only`() {
        var rate = LogRate(linesPerSecond: 2)
        _ = admit(&rate, times: 1)
        clock.advance(by: .seconds(3600))
        #expect(admit(&rate, times: 3) == [0, 0, nil])
    }

    @Test(arguments: [0, -7, 1]) func `at least one line passes each second`(_ limit: Int) {
        var rate = LogRate(linesPerSecond: limit)
        #expect(admit(&rate, times: 2) == [0, nil])
        clock.advance(by: .seconds(1))
        #expect(admit(&rate, times: 1) == [1])
    }

    @Test func `a huge limit holds nothing back`() {
        var rate = LogRate(linesPerSecond: .max)
        #expect(admit(&rate, times: 1000).allSatisfy { $0 == 0 })
    }
}

@Suite struct LogRatesTests {
    private let clock = ManualClock()

    @Test func `neither good calls nor their callers' mistakes keep a failure out of the log`() {
        var rates = LogRates(linesPerSecond: 2)
        for severity in [LogSeverity.info, .debug, .notice] {
            for _ in 0..<10 { _ = rates.admit(severity, at: clock.now) }
        }
        func admit(_ severities: LogSeverity...) -> [Int?] { severities.map { rates.admit($0, at: clock.now) } }
        #expect(admit(.info, .notice, .error, .warning, .error) == [nil, nil, 0, 0, nil])
        clock.advance(by: .seconds(1))
        // Those that were held back before it, and the one that was just now.
        #expect(admit(.error, .notice, .info) == [1, 9, 19])
    }
}
