// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusInterceptors

struct RetryCourseTests {
    let now = MonotonicInstant(nanoseconds: 5_000_000_000)
    let even = RetrySchedule.exponential(maxAttempts: 4, initial: .seconds(1), multiplier: 1, jitter: 1...1)

    private func course() -> RetryCourse { RetryCourse(schedule: even, codes: [.unavailable]) }

    private func failure(
        _ code: Status.Code = .unavailable, _ progress: RPCError.Progress = .sent, pushback: String? = nil
    ) -> RPCError {
        RPCError(
            code, "no", metadata: pushback.map { ["grpc-retry-pushback-ms": $0] } ?? Metadata(), progress: progress)
    }

    private func step(_ course: inout RetryCourse, _ error: RPCError, deadline: CallDeadline = .none)
        -> RetryCourse.Step
    {
        var throttle: RetryThrottle?
        return course.failed(error, at: now, deadline: deadline, throttle: &throttle, random: 0.5)
    }

    @Test func `a listed code is tried again until the attempts are used up`() {
        var course = course()
        for attempt in 1...3 {
            #expect(course.attempt == attempt)
            #expect(step(&course, failure()) == .again(after: .seconds(1), counted: true))
        }
        #expect(step(&course, failure()) == .stop(.exhausted))
        #expect(course.attempt == 4)
    }

    @Test(arguments: Status.Code.allCases.filter { $0 != .unavailable && $0 != .ok })
    func `a code that is not listed is final`(code: Status.Code) {
        var course = course()
        #expect(step(&course, failure(code)) == .stop(.notRetryable))
    }

    @Test func `a call whose response has begun is committed, and counts as a failure`() {
        var course = course()
        var throttle: RetryThrottle? = RetryThrottle(maxTokens: 2)
        let error = failure(.unavailable, .answered)
        let step = course.failed(error, at: now, deadline: .none, throttle: &throttle, random: 0.5)
        #expect(step == .stop(.committed))
        #expect(throttle?.tokens == 1)
    }

    @Test func `a try that left nothing on the wire is repeated without being counted, ever more slowly`() {
        var course = course()
        let waits = (0..<16).map { _ in step(&course, failure(.unavailable, .notSent)) }
        let expected = [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024]
        #expect(waits == expected.map { .again(after: .milliseconds($0), counted: false) })
        #expect(course.attempt == 1)
    }

    @Test func `a refused try is repeated once, then the schedule counts`() {
        var course = course()
        #expect(step(&course, failure(.unavailable, .refused)) == .again(after: .zero, counted: false))
        #expect(step(&course, failure(.unavailable, .refused)) == .again(after: .seconds(1), counted: true))
        #expect(step(&course, failure(.internal, .refused)) == .stop(.notRetryable))
    }

    @Test func `a server's pushback is obeyed to the millisecond and starts the row of waits again`() {
        var course = RetryCourse(
            schedule: .exponential(maxAttempts: 9, initial: .seconds(1), multiplier: 2, jitter: 1...1),
            codes: [.unavailable])
        #expect(step(&course, failure()) == .again(after: .seconds(1), counted: true))
        #expect(step(&course, failure()) == .again(after: .seconds(2), counted: true))
        #expect(step(&course, failure(pushback: "17")) == .again(after: .milliseconds(17), counted: true))
        #expect(step(&course, failure()) == .again(after: .seconds(1), counted: true))
        #expect(step(&course, failure(pushback: "0")) == .again(after: .zero, counted: true))
    }

    @Test(arguments: ["-1", "", "x", "1.5", "99999999999999999999"])
    func `a pushback that is negative or no number means never`(text: String) {
        var course = course()
        #expect(step(&course, failure(pushback: text)) == .stop(.serverSaysNo))
    }

    @Test func `a pushback on a code that is not listed does not make it retryable`() {
        var course = course()
        #expect(step(&course, failure(.notFound, pushback: "5")) == .stop(.notRetryable))
    }

    @Test func `the longest pushback overflows nothing`() {
        var course = course()
        let deadline = CallDeadline(at: now.advanced(by: .seconds(9)))
        #expect(step(&course, failure(pushback: "\(Int64.max)"), deadline: deadline) == .stop(.noTimeLeft))
    }

    @Test func `a wait that would end at the deadline or past it is not begun`() {
        for (left, expected) in [
            (1001, RetryCourse.Step.again(after: .seconds(1), counted: true)), (1000, .stop(.noTimeLeft)),
            (1, .stop(.noTimeLeft)), (-1, .stop(.noTimeLeft)),
        ] {
            var course = course()
            let deadline = CallDeadline(at: now.advanced(by: .milliseconds(left)))
            #expect(step(&course, failure(), deadline: deadline) == expected)
        }
    }

    @Test func `past the deadline not even a transparent retry goes out`() {
        var course = course()
        #expect(step(&course, failure(.unavailable, .notSent), deadline: CallDeadline(at: now)) == .stop(.noTimeLeft))
    }

    @Test func `an empty throttle stops retries but not transparent ones`() {
        var throttle: RetryThrottle? = RetryThrottle(maxTokens: 2)
        var course = course()
        let unsent = failure(.unavailable, .notSent)
        #expect(
            course.failed(failure(), at: now, deadline: .none, throttle: &throttle, random: 0) == .stop(.throttled))
        #expect(
            course.failed(unsent, at: now, deadline: .none, throttle: &throttle, random: 0)
                == .again(after: .zero, counted: false))
        #expect(throttle?.tokens == 1)
    }

    @Test func `over ten thousand random failures the attempts never pass the schedule's maximum`() {
        let random = SplitMixRandom(seed: 11)
        let progresses: [RPCError.Progress] = [.notConnected, .notSent, .refused, .sent]
        for _ in 0..<10_000 {
            let most = 1 + random.index(below: 6)
            var course = RetryCourse(schedule: .exponential(maxAttempts: most), codes: [.unavailable])
            var counted = 1
            while counted <= 10 {
                let error = failure(.unavailable, progresses[random.index(below: 4)])
                guard case .again(_, let counts) = step(&course, error) else { break }
                if counts { counted += 1 }
                #expect(course.attempt == counted)
            }
            #expect(counted == most)
        }
    }
}
