// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ShopDrill

@Suite struct EffectAuditTests {
    var audit: EffectAudit {
        var audit = EffectAudit()
        audit.registered("ada", as: 1)
        audit.registered("bob", as: 2)
        audit.placed("a", as: 10)
        audit.placed("b", as: 11)
        return audit
    }

    @Test func `effects that are there once leave nothing to find`() {
        var repeated = audit
        repeated.placed("a", as: 10)
        #expect(repeated.findings(userCount: 2, orders: [("b", 11), ("a", 10)]).isEmpty)
    }

    @Test func `an order that is there twice is found`() {
        #expect(
            audit.findings(userCount: 2, orders: [("a", 10), ("b", 11), ("a", 12)])
                == ["order a was placed 2 times: [10, 12]"])
    }

    @Test func `an order that was lost, changed or never answered is found`() {
        #expect(
            audit.findings(userCount: 2, orders: [("b", 12), ("c", 13)]) == [
                "order a was answered, but is not there", "order b was answered as 11, but is 12",
                "order c is there, but was never answered",
            ])
    }

    @Test func `a user too many is found`() {
        #expect(
            audit.findings(userCount: 3, orders: [("a", 10), ("b", 11)])
                == ["2 users were registered, 3 are there"])
    }

    @Test func `answers that contradict each other are found`() {
        var audit = audit
        audit.registered("ada", as: 2)
        audit.placed("a", as: 9)
        #expect(
            audit.findings(userCount: 2, orders: [("a", 9), ("b", 11)]) == [
                "user ada was answered as 1 and as 2", "order a was answered as 10 and as 9",
                "users ada and bob have the one id 2",
            ])
    }
}

@Suite struct WatchTranscriptTests {
    func transcript(_ told: [Int32]) -> WatchTranscript {
        var transcript = WatchTranscript(order: "a", finalSequence: 3)
        for sequence in told { transcript.told(sequence) }
        return transcript
    }

    @Test func `each state once and in order is right`() {
        #expect(transcript([1, 2, 3]).isComplete)
        #expect(transcript([1, 2, 3]).findings.isEmpty)
        #expect(transcript([1, 2]).lastSequence == 2)
    }

    @Test(arguments: [
        ([1, 3], "watch of a: state 3 was told after 1"), ([1, 2, 2, 3], "watch of a: state 2 was told after 2"),
        ([1, 2], "watch of a: ended after state 2 of 3"), ([], "watch of a: ended after state 0 of 3"),
    ])
    func `a gap, a repetition and an early end are found`(told: [Int32], finding: String) {
        #expect(transcript(told).findings == [finding])
    }
}
