// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusDiscovery

struct LookUpPaceTests {
    @Test func `an answer is followed by the interval, a failure by a second, and by more each time`() {
        var pace = LookUpPace(interval: .seconds(30))
        func wait(_ isAnswered: Bool) -> Duration { pace.wait(isAnswered: isAnswered, random: 0.5) }
        #expect(wait(true) == .seconds(30))
        let waits = (0..<3).map { _ in wait(false) / .seconds(1) }
        #expect(zip(waits, [1, 1.6, 2.56]).allSatisfy { abs($0 - $1) < 1e-6 })
        for _ in 0..<100 { _ = wait(false) }
        #expect(wait(false) == .seconds(30))
        #expect(wait(true) == .seconds(30))
        #expect(wait(false) == .seconds(1))
    }

    @Test func `over ten thousand random steps no wait is longer than the interval or shorter than most of a second`() {
        let random = SplitMixRandom(seed: 2)
        for interval in [Duration.seconds(1), .seconds(30), .seconds(300)] {
            var pace = LookUpPace(interval: interval)
            for _ in 0..<10_000 {
                let isAnswered = random.index(below: 10) == 0
                let wait = pace.wait(isAnswered: isAnswered, random: random.unit())
                #expect(wait <= interval && wait >= .milliseconds(800))
                if isAnswered { #expect(wait == interval) }
            }
        }
    }
}
