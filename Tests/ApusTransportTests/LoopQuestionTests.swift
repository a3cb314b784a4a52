// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Dispatch
import Testing

@testable import ApusTransport

struct LoopQuestionTests {
    private let loop: any EventLoop
    private let clock = ManualClock()

    init() throws { loop = try EventLoops(count: 1).members[0] }

    @Test func `a loop answers on its own thread`() async {
        let loop = loop
        #expect(await loop.ask(clock: clock) { loop.isCurrent } == true)
    }

    @Test func `a loop that something blocks is not waited for longer than the limit`() async {
        let (held, release) = (Latch(), DispatchSemaphore(value: 0))
        loop.execute {
            held.countDown()
            release.wait()
        }
        await held.wait()
        async let answer = loop.ask(within: .seconds(2), clock: clock) { 7 }
        await clock.waitForSleepers()
        clock.advance(by: .seconds(2))
        #expect(await answer == nil)
        release.signal()
        // What it says too late harms nobody.
        #expect(await loop.ask(clock: clock) { 8 } == 8)
    }
}
