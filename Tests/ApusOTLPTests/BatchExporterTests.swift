// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusOTLP

@Suite(.timeLimit(.minutes(5))) struct BatchExporterTests {
    @Test func `a batch whose last item comes late goes when it is full, not when it is due`() async {
        let (batches, sent) = AsyncStream<[Int]>.makeStream()
        let clock = ManualClock()
        let core = BatchCore<Int>(
            OTLPBatchLimits(batch: 3, delay: .seconds(600)), .seconds(60), SplitMixRandom(seed: 1), clock
        ) { items, _ in
            sent.yield(items)
            return 0
        }
        core.add(1)
        core.add(2)
        let running = Task { await core.run() }
        // Both were taken over: the exporter sleeps, and waits for one more.
        await clock.waitForSleepers()
        core.add(3)
        var iterator = batches.makeAsyncIterator()
        #expect(await iterator.next() == [1, 2, 3])
        running.cancel()
        await running.value
        #expect(core.counts.exported == 3)
    }
}
