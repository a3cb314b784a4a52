// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

@Suite struct KeyUpdateBudgetTests {
    // How many of a hundred tries succeed at one moment.
    private static func taken(from budget: inout KeyUpdateBudget, at seconds: Int64) -> Int {
        let now = MonotonicInstant(nanoseconds: seconds * 1_000_000_000)
        var count = 0
        for _ in 0..<100 where budget.take(now: now) { count += 1 }
        return count
    }

    @Test func `thirty-two at once, then one a minute, never more than that saved up`() {
        var budget = KeyUpdateBudget(now: MonotonicInstant(nanoseconds: 0))
        let counts = [0, 59, 60, 61, 181, 86_400 * 365].map { Self.taken(from: &budget, at: $0) }
        #expect(counts == [32, 0, 1, 0, 2, 32])
    }

    @Test func `a key is replaced before it wears out`() {
        var lifetime = KeyLifetime()
        // Each of these counts as two records: 16 KiB, and what may be left.
        var worn = 0
        for _ in 0..<(1 << 23) where lifetime.wears(by: 16_384) { worn += 1 }
        #expect(worn == 0)
        let (next, afterThat) = (lifetime.wears(by: 1), lifetime.wears(by: 1))
        #expect(next && !afterThat)
    }
}
