// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import Testing

struct RetryThrottleTests {
    @Test func `a full bucket allows retries until half of it is gone`() {
        var throttle = RetryThrottle(maxTokens: 10, tokenRatio: 0.1)
        for failures in 1...5 {
            #expect(throttle.allowsRetry)
            throttle.failed()
            #expect(throttle.tokens == Double(10 - failures))
        }
        #expect(!throttle.allowsRetry)
    }

    @Test func `successes bring retries back, a thousandth at a time without rounding`() {
        var throttle = RetryThrottle(maxTokens: 2, tokenRatio: 0.001)
        throttle.failed()
        for _ in 0..<1000 { throttle.succeeded() }
        #expect(throttle.tokens == 2)
    }

    @Test func `over random histories the tokens stay between zero and the maximum`() {
        let random = SplitMixRandom(seed: 3)
        var throttle = RetryThrottle(maxTokens: 20, tokenRatio: 0.7)
        for _ in 0..<10_000 {
            if random.index(below: 2) == 0 { throttle.failed() } else { throttle.succeeded() }
            #expect((0.0...20.0).contains(throttle.tokens))
            #expect(throttle.allowsRetry == (throttle.tokens > 10))
        }
    }

    @Test(arguments: [(0, 0.0), (-5, -1), (5000, 1e9), (3, .nan)])
    func `parameters out of range are held in it`(maxTokens: Int, tokenRatio: Double) {
        var throttle = RetryThrottle(maxTokens: maxTokens, tokenRatio: tokenRatio)
        #expect((1.0...1000.0).contains(throttle.tokens))
        throttle.failed()
        throttle.succeeded()
        #expect((0.0...1000.0).contains(throttle.tokens))
    }
}
