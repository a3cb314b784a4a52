// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct HedgeCourseTests {
    let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func course(_ attempts: Int = 3, delay: Duration = .seconds(1)) -> HedgeCourse {
        HedgeCourse(maximumAttempts: attempts, delay: delay, nonFatal: [.unavailable])
    }

    private func failed(
        _ course: inout HedgeCourse, _ code: Status.Code = .unavailable, pushback: String? = nil,
        progress: RPCError.Progress = .sent
    ) -> HedgeCourse.Step {
        let metadata: Metadata = pushback.map { ["grpc-retry-pushback-ms": $0] } ?? Metadata()
        var throttle: RetryThrottle?
        return course.failed(
            RPCError(code, "no", metadata: metadata, progress: progress), at: start, throttle: &throttle)
    }

    @Test func `tries are due one delay after the other, up to their number`() {
        var course = course()
        course.trySent(at: start)
        let dues = [999, 1000].map { course.isDue(at: start.advanced(by: .milliseconds($0)), throttle: nil) }
        #expect(dues == [false, true])
        course.trySent(at: start.advanced(by: .seconds(1)))
        #expect(course.dueAt == start.advanced(by: .seconds(2)))
        course.trySent(at: start.advanced(by: .seconds(2)))
        #expect(course.dueAt == nil)
        #expect(course.running == 3)
    }

    @Test func `a failure that is not fatal sends the next try, the last one ends the call`() {
        var course = course(2)
        course.trySent(at: start)
        #expect(failed(&course) == .send)
        course.trySent(at: start)
        #expect(failed(&course) == .fail)
    }

    @Test func `the call waits for tries that are under way`() {
        var course = course(2)
        course.trySent(at: start)
        course.trySent(at: start)
        #expect(failed(&course) == .wait)
        #expect(failed(&course) == .fail)
    }

    @Test func `a fatal failure ends the call, as does one of a response that had begun`() {
        var fatal = course()
        fatal.trySent(at: start)
        fatal.trySent(at: start)
        var begun = fatal
        #expect(failed(&fatal, .notFound) == .fail)
        #expect(failed(&begun, progress: .answered) == .fail)
    }

    @Test func `a server may ask for a later try, or for none`() {
        var later = course()
        later.trySent(at: start)
        var none = later
        #expect(failed(&later, pushback: "5000") == .wait)
        #expect(later.dueAt == start.advanced(by: .seconds(5)))
        #expect(failed(&none, pushback: "-1") == .fail)
        var two = course()
        two.trySent(at: start)
        two.trySent(at: start)
        #expect(failed(&two, pushback: "never") == .wait)
        #expect(two.dueAt == nil)
        #expect(failed(&two) == .fail)
    }

    @Test func `a throttle with too few tokens stops further tries`() {
        var course = course()
        var throttle: RetryThrottle? = RetryThrottle(maxTokens: 2)
        course.trySent(at: start)
        let step = course.failed(RPCError(.unavailable, ""), at: start, throttle: &throttle)
        #expect(step == .fail)
        #expect(throttle?.tokens == 1)
        var other = self.course()
        other.trySent(at: start)
        let isDue = other.isDue(at: start.advanced(by: .seconds(9)), throttle: throttle)
        #expect(!isDue)
        #expect(other.dueAt == nil)
    }

    @Test func `over ten thousand random calls the counts always add up and every call ends`() {
        let random = SplitMixRandom(seed: 5)
        for _ in 0..<10_000 {
            var (course, now, ended, steps) = (course(1 + random.index(below: 5)), start, 0, 0)
            course.trySent(at: now)
            calls: while true {
                steps += 1
                #expect(course.sent <= course.maximumAttempts && course.running == course.sent - ended)
                now = now.advanced(by: .milliseconds(random.index(below: 1500)))
                if course.isDue(at: now, throttle: nil) { course.trySent(at: now) }
                guard course.running > 0 else { continue }
                ended += 1
                let codes: [Status.Code] = [.unavailable, .unavailable, .unavailable, .notFound]
                let pushback: [String?] = [nil, nil, "100", "-1"]
                let (code, asked) = (codes[random.index(below: 4)], pushback[random.index(below: 4)])
                switch failed(&course, code, pushback: asked) {
                case .send: course.trySent(at: now)
                case .wait: #expect(course.running > 0 || course.dueAt != nil)
                case .fail: break calls
                }
            }
            #expect(steps < 100)
        }
    }
}
