// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusTransport

@Suite struct TurnLimitTests {
    private let io = ScriptedIO()

    @Test func `a connection with few calls keeps its 256 KiB a turn`() {
        var limit = TurnLimit()
        for calls in [0, 1, 15, 16, 47, 48] { limit.ended(calls: calls, io) }
        #expect(limit.bytes == 256 * 1024)
        #expect(io.turnLimits.isEmpty)
    }

    @Test func `the more calls a turn began, the less the next one may bring`() {
        var limit = TurnLimit()
        limit.ended(calls: 49, io)
        #expect(io.turnLimits == [128 * 1024])
        limit.ended(calls: 480, io)
        #expect(io.turnLimits == [128 * 1024, 128 * 1024 / 10])
    }

    @Test func `2 KiB may always come`() {
        var limit = TurnLimit()
        for _ in 0..<10 { limit.ended(calls: 5000, io) }
        #expect(limit.bytes == 2048)
        #expect(io.turnLimits.last == 2048)
    }

    @Test func `a connection that calms down gets its share back`() {
        var limit = TurnLimit()
        limit.ended(calls: .max, io)
        for _ in 0..<7 { limit.ended(calls: 3, io) }
        #expect(limit.bytes == 256 * 1024)
    }

    @Test func `a socket reads what its turn allows, and as much in the next`() {
        var allowance = TurnAllowance()
        allowance.bytes = 4096
        #expect(allowance.room(in: 1) == 4096)
        allowance.take(4000)
        #expect(allowance.room(in: 1) == 96)
        allowance.take(96)
        #expect(allowance.room(in: 1) == 0)
        #expect(allowance.room(in: 2) == 4096)
    }
}
