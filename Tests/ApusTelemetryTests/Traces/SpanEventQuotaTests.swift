// SPDX-License-Identifier: Apache-2.0

import ApusTelemetry
import Testing

@Suite struct SpanEventQuotaTests {
    @Test func `a long stream fills a span with its first messages, and leaves room for what says more`() {
        var quota = SpanEventQuota()
        let messages = (0..<1_000).count { _ in quota.admit(.message) }
        #expect(messages == 96)
        #expect(quota.leftOut == 904)
        let others = (0..<100).count { _ in quota.admit(.other) }
        #expect(messages + others == SpanEventQuota.limit)
        #expect(quota.leftOut == 904 + 68)
    }

    @Test func `retries without end leave messages no room that they would not have had`() {
        var quota = SpanEventQuota()
        let others = (0..<1_000).count { _ in quota.admit(.other) }
        #expect(others == SpanEventQuota.limit)
        let isTaken = quota.admit(.message)
        #expect(!isTaken)
        #expect(quota.leftOut == 1_000 - SpanEventQuota.limit + 1)
    }
}
