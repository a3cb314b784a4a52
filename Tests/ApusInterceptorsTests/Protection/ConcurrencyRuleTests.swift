// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusInterceptors

/// A server that does so much at once: more calls take longer by queueing inside of it.
private struct Backend {
    var capacity: Int
    let time = Duration.milliseconds(10)

    func latency(_ running: Int, _ random: any RandomSource) -> Duration {
        let load = max(1, Double(running) / Double(capacity))
        return time * load * (0.95 + 0.1 * random.unit())
    }
}

struct ConcurrencyRuleTests {
    let random = SplitMixRandom(seed: 8)

    /// Runs ten thousand calls, always as many at once as the rule lets in, and returns the mean limit of the last.
    private func run(_ rule: inout ConcurrencyRule, _ backend: Backend, from start: inout MonotonicInstant) -> Int {
        var sum = 0
        for call in 0..<10_000 {
            let running = rule.limit
            if call >= 8000 { sum += running }
            let latency = backend.latency(running, random)
            start = start.advanced(by: latency / running)
            rule.ended(after: latency, running: running, succeeded: true, at: start)
        }
        return sum / 2000
    }

    @Test(arguments: [
        ConcurrencyRule.gradient(initial: 200, tolerance: 1), .throughput(initial: 200, window: .milliseconds(10)),
    ])
    func `a limit finds what a server can do at once, and follows when that changes`(rule: ConcurrencyRule) {
        var (rule, now) = (rule, MonotonicInstant(nanoseconds: 0))
        let first = run(&rule, Backend(capacity: 50), from: &now)
        #expect((35...110).contains(first))
        let grown = run(&rule, Backend(capacity: 100), from: &now)
        #expect(grown > first && (75...210).contains(grown))
    }

    @Test(arguments: [ConcurrencyRule.gradient(in: 5...9), .throughput(in: 5...9), .fixed(7)])
    func `a limit stays in its range whatever calls do`(rule: ConcurrencyRule) {
        var (rule, now) = (rule, MonotonicInstant(nanoseconds: 0))
        for _ in 0..<10_000 {
            now = now.advanced(by: .milliseconds(random.index(below: 30)))
            let latency = Duration.nanoseconds(Int64(random.next() >> UInt64(1 + random.index(below: 63))))
            rule.ended(after: latency, running: random.index(below: 50), succeeded: random.unit() < 0.5, at: now)
            #expect((5...9).contains(rule.limit))
        }
    }

    @Test func `calls that all fail shrink the limit of throughput`() {
        var rule = ConcurrencyRule.throughput(initial: 64)
        for step in 1...200 {
            let now = MonotonicInstant(nanoseconds: Int64(step) * 20_000_000)
            rule.ended(after: .milliseconds(1), running: 10, succeeded: false, at: now)
        }
        #expect(rule.limit == 4)
    }
}
