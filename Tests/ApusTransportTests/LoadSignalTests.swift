// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusTransport

struct LoadSignalTests {
    @Test func `memory is the resident part of a limit`() {
        let whole = MemoryLoad()
        #expect(whole.load() > 0 && whole.load() < 1)
        #expect(MemoryLoad(limit: 1).load() > 1_000_000)
        #expect(MemoryLoad(limit: -1).load() > 1_000_000)
    }

    @Test func `a loop that is held lags for as long, and no longer than it is`() async throws {
        let loops = try EventLoops(count: 1)
        let clock = ManualClock()
        let lag = LoopLag(of: loops, limit: .milliseconds(100), clock: clock)
        await clock.waitForSleepers()
        let (held, free) = (Latch(), Latch())
        // A loop that is held by a job cannot run the probe that is posted meanwhile.
        let holder = Task(executorPreference: loops.members[0]) {
            held.countDown()
            while !Task.isCancelled {}
            free.countDown()
        }
        await held.wait()
        clock.advance(by: .milliseconds(50))
        await clock.waitForSleepers()
        clock.advance(by: .milliseconds(49))
        #expect(lag.load() > 0.4)
        holder.cancel()
        await free.wait()
        while lag.load() > 0 {
            await clock.waitForSleepers()
            clock.advance(by: .milliseconds(50))
            // Until the probe that is posted now has run, if it has been posted.
            for _ in 0..<1000 where lag.load() > 0 { await Task.yield() }
        }
    }
}
