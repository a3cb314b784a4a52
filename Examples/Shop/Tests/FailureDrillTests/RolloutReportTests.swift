// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FailureDrill

struct RolloutReportTests {
    private func call(_ error: String? = nil, milliseconds: Int = 1) -> FinishedCall {
        FinishedCall(due: .zero, latency: .milliseconds(milliseconds), error: error, instances: ["worker-1"])
    }

    private var good: RolloutReport {
        var report = RolloutReport()
        report.rounds = 2
        report.replaced = 10
        report.refusal = "waited in vain"
        report.add([call(), call(milliseconds: 3)])
        report.add(streams: 4, errors: [])
        return report
    }

    @Test func `a rollout that lost nothing has no faults`() {
        #expect(good.faults == [])
        #expect(good.lines.count == 2)
        #expect(good.lines[1].split(separator: " ").prefix(6) == ["2", "10", "2", "0", "4", "0"])
    }

    @Test func `failed calls and broken streams are faults, and each reason is told once`() {
        var report = good
        report.add([call("gone"), call("gone"), call("late")])
        report.add(streams: 3, errors: ["cut", "gone"])
        #expect(report.faults == ["3 of 5 calls failed", "2 of 7 streams broke"])
        #expect(report.errors == ["gone", "late", "cut"])
    }

    @Test func `a version that never gets ready must not be taken for ready`() {
        var report = good
        report.refusal = nil
        #expect(report.faults == ["a version that never gets ready was taken for ready"])
    }

    @Test func `a rollout without calls or streams proves nothing`() {
        var report = RolloutReport()
        report.refusal = "waited in vain"
        #expect(report.faults == ["no calls were made", "no streams were opened"])
    }
}
