// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

@Suite struct TokenBucketTests {
    private static let second: Int64 = 1_000_000_000

    /// How many tokens can be spent at once, at most 1,000,000.
    private func drain(_ bucket: inout TokenBucket, at now: Int64) -> Int {
        (0..<1_000_000).first { _ in !bucket.spend(at: now) } ?? 1_000_000
    }

    @Test func `a burst may be spent at once`() {
        var bucket = TokenBucket(burst: 200, perSecond: 50)
        #expect(drain(&bucket, at: 5) == 200)
    }

    @Test func `time gives back what it promises, up to the burst`() {
        var bucket = TokenBucket(burst: 200, perSecond: 50)
        #expect(drain(&bucket, at: 0) == 200)
        #expect(drain(&bucket, at: Self.second) == 50)
        #expect(drain(&bucket, at: 1000 * Self.second) == 200)
    }

    @Test func `work gives back beyond the burst, and has an end`() {
        var bucket = TokenBucket(burst: 10, perSecond: 1)
        bucket.earn(500)
        #expect(drain(&bucket, at: 0) == 510)
        bucket.earn(1e9)
        #expect(drain(&bucket, at: 0) == 100_000)
    }

    @Test func `a clock that stands still or goes back gives nothing`() {
        var bucket = TokenBucket(burst: 1, perSecond: 1000)
        #expect(drain(&bucket, at: Self.second) == 1)
        #expect(drain(&bucket, at: Self.second) == 0)
        #expect(drain(&bucket, at: 0) == 0)
        #expect(drain(&bucket, at: .min) == 0)
    }
}
