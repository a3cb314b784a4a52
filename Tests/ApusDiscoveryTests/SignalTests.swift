// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusDiscovery

@Suite(.timeLimit(.minutes(10)))
struct SignalTests {
    let clock = ManualClock()

    private func deadline(_ seconds: Int) -> CallDeadline {
        CallDeadline(at: clock.now.advanced(by: .seconds(seconds)))
    }

    @Test func `a signal that has fired keeps nobody waiting`() async {
        let signal = Signal()
        signal.fire()
        signal.fire()
        #expect(await signal.wait(until: .none, clock: clock) == .fired)
        #expect(await signal.wait(until: deadline(1), clock: clock) == .fired)
        #expect(clock.sleepers == 0)
    }

    @Test func `a moment that has passed ends the wait`() async {
        #expect(await Signal().wait(until: deadline(-1), clock: clock) == .late)
    }

    @Test func `a task that is cancelled already does not wait`() async {
        let outcome = await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await Signal().wait(until: deadline(60), clock: clock)
        }.value
        #expect(outcome == .cancelled)
        #expect(clock.sleepers == 0)
    }

    @Test func `whatever comes first, each wait ends once and with one of the three`() async {
        for round in 0..<300 {
            let signal = Signal()
            let limit = deadline(1)
            let waits = (0..<4).map { _ in Task { await signal.wait(until: limit, clock: clock) } }
            if round % 2 == 0 { await Task.yield() }
            waits[0].cancel()
            if round % 3 == 0 { clock.advance(by: .seconds(1)) }
            signal.fire()
            let outcomes = [await waits[0].value, await waits[1].value, await waits[2].value, await waits[3].value]
            #expect(outcomes[1...].allSatisfy { $0 != .cancelled })
        }
        #expect(clock.sleepers == 0)
    }
}
