// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct TokenBucketTests {
    let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    @Test func `a full bucket gives its burst and then says how long the next token takes`() {
        let bucket = SharedTokenBucket(TokenBucket(perSecond: 10, burst: 3))
        for _ in 0..<3 { #expect(bucket.take(at: start) == .taken) }
        #expect(bucket.take(at: start) == .wait(.milliseconds(100)))
        #expect(bucket.take(at: start.advanced(by: .milliseconds(60))) == .wait(.milliseconds(40)))
        #expect(bucket.take(at: start.advanced(by: .milliseconds(100))) == .taken)
        #expect(bucket.take(at: start.advanced(by: .milliseconds(100))) == .wait(.milliseconds(100)))
    }

    @Test func `over ten thousand steps never more than burst and rate allow, and never less`() {
        let random = SplitMixRandom(seed: 1)
        let bucket = TokenBucket(perSecond: 100, burst: 20)
        var (fullAt, now, taken) = (TokenBucket.full, start, [MonotonicInstant]())
        // The plain bucket, kept by its level.
        var (level, last) = (20.0, start)
        for _ in 0..<10_000 {
            now = now.advanced(by: .microseconds(random.index(below: 15_000)))
            level = min(20, level + Double(last.duration(to: now).saturatedNanoseconds) / 1e7)
            last = now
            let expected = level >= 1 - 1e-6
            let answer = bucket.take(from: &fullAt, at: now)
            #expect((answer == .taken) == expected)
            if answer == .taken { (level, taken) = (level - 1, taken + [now]) }
        }
        for (index, moment) in taken.enumerated().dropFirst(120) {
            #expect(taken[index - 120].duration(to: moment) >= .milliseconds(990))
        }
    }

    @Test func `numbers at their ends do not trap`() {
        for rate in [0, -1, .nan, .infinity, 1e-300, 1e300] {
            for burst in [Int.min, 0, 1, Int.max] {
                let bucket = SharedTokenBucket(TokenBucket(perSecond: rate, burst: burst))
                #expect(bucket.take(at: start) == .taken)
                _ = bucket.take(at: MonotonicInstant(nanoseconds: .max))
                _ = bucket.take(at: MonotonicInstant(nanoseconds: .min))
            }
        }
    }
}
