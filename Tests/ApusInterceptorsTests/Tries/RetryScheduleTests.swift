// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import Testing

struct RetryScheduleTests {
    @Test(arguments: [
        (total: 10.0, interval: 3.0, retries: 3), (9, 3, 3), (8.999, 3, 2), (2.999, 3, 0), (0, 3, 0), (1, 0.1, 10),
        (0.3, 0.1, 3), (60, 0.25, 240), (1, 7, 0),
    ])
    func `a total T and an interval t give floor of T over t retries`(total: Double, interval: Double, retries: Int)
        throws
    {
        let schedule = try RetrySchedule.fixed(
            total: .milliseconds(Int(total * 1000)), interval: .milliseconds(Int(interval * 1000)))
        #expect(schedule.maximumAttempts == retries + 1)
    }

    @Test func `a fixed schedule always waits its interval`() throws {
        let schedule = try RetrySchedule.fixed(total: .seconds(3), interval: .milliseconds(700))
        for retry in 1...4 {
            #expect(schedule.wait(beforeRetry: retry, random: Double(retry) / 5) == .milliseconds(700))
        }
    }

    @Test(arguments: [
        (Duration.seconds(1), Duration.zero), (.seconds(1), .seconds(-1)), (.seconds(-1), .seconds(1)),
        (.zero, .zero),
    ])
    func `an interval that is not positive, or a negative total, is refused`(total: Duration, interval: Duration) {
        let error = #expect(throws: RPCError.self) {
            try RetrySchedule.fixed(total: total, interval: interval)
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `the count of a fixed schedule is held at the largest number`() throws {
        let schedule = try RetrySchedule.fixed(total: .seconds(Int64.max), interval: .nanoseconds(1))
        #expect(schedule.maximumAttempts == .max)
    }

    @Test func `exponential waits grow up to their maximum`() {
        let schedule = RetrySchedule.exponential(
            initial: .milliseconds(100), multiplier: 2, maximum: .seconds(1), jitter: 1...1)
        let waits = (1...7).map { schedule.wait(beforeRetry: $0, random: 0.5) }
        #expect(waits == [100, 200, 400, 800, 1000, 1000, 1000].map { .milliseconds($0) })
    }

    @Test func `jitter stays within its range and uses all of it`() {
        let schedule = RetrySchedule.exponential(initial: .seconds(1), maximum: .seconds(64))
        let random = SplitMixRandom(seed: 7)
        for retry in 1...6 {
            let base = Double(1 << (retry - 1))
            let waits = (0..<2000).map { _ in schedule.wait(beforeRetry: retry, random: random.unit()) / .seconds(base)
            }
            #expect(waits.allSatisfy { (0.8...1.2).contains($0) })
            #expect((waits.min() ?? 1) < 0.81 && (waits.max() ?? 1) > 1.19)
        }
    }

    @Test(arguments: [
        RetrySchedule.exponential(initial: .seconds(-5)), .exponential(maximum: .seconds(-5)),
        .exponential(multiplier: -2), .exponential(multiplier: .infinity), .exponential(multiplier: .nan),
        .exponential(initial: .seconds(Int64.max), maximum: .seconds(Int64.max)),
        .exponential(jitter: -2 ... -1), .exponential(initial: .zero, multiplier: .infinity),
    ])
    func `odd parameters give waits in range and no trap`(schedule: RetrySchedule) {
        for retry in [Int.min, -1, 0, 1, 2, 3, 1000, .max] {
            #expect(schedule.wait(beforeRetry: retry, random: 0.5) >= .zero)
        }
    }

    @Test func `fewer than one attempt counts as one`() {
        #expect(RetrySchedule.exponential(maxAttempts: -3).maximumAttempts == 1)
    }
}
