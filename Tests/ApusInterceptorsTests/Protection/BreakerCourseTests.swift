// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct BreakerCourseTests {
    let start = MonotonicInstant(nanoseconds: 5_000_000_000)
    let rules: BreakerRules

    init() {
        var rules = BreakerRules()
        rules.minimumCalls = 10
        self.rules = rules
    }

    /// Admits a call, which must pass, and ends it.
    private func call(_ course: inout BreakerCourse, _ verdict: Verdict, slow: Bool = false, after: Duration = .zero) {
        let now = start.advanced(by: after)
        guard case .passes(let generation) = course.admit(at: now) else {
            Issue.record("the call does not pass")
            return
        }
        course.ended(verdict, slow: slow, generation: generation, at: now)
    }

    private func admission(_ course: inout BreakerCourse, after: Duration = .zero) -> BreakerCourse.Admission {
        course.admit(at: start.advanced(by: after))
    }

    @Test func `it opens at the rate of failures, not before there are enough calls`() {
        var course = BreakerCourse(rules)
        for _ in 0..<4 { call(&course, .success) }
        for _ in 0..<5 { call(&course, .failure) }
        #expect(course.state == .closed)
        call(&course, .failure)
        #expect(course.state == .open)
        #expect(admission(&course, after: .seconds(2)) == .fails(timeLeft: .seconds(3)))
    }

    @Test func `calls that left the window do not count`() {
        var course = BreakerCourse(rules)
        for _ in 0..<9 { call(&course, .failure) }
        call(&course, .failure, after: .seconds(11))
        #expect(course.state == .closed)
    }

    @Test func `failures in a row open it however few calls there were`() {
        var rules = rules
        rules.consecutiveFailures = 3
        var course = BreakerCourse(rules)
        for verdict in [Verdict.failure, .failure, .success, .failure, .failure, .none] { call(&course, verdict) }
        #expect(course.state == .closed)
        call(&course, .failure)
        #expect(course.state == .open)
    }

    @Test func `slow calls open it although they succeed`() {
        var rules = rules
        rules.slowRate = 0.4
        var course = BreakerCourse(rules)
        for number in 0..<10 { call(&course, .success, slow: number % 10 < 3) }
        #expect(course.state == .closed)
        for _ in 0..<2 { call(&course, .success, slow: true) }
        #expect(course.state == .open)
    }

    @Test func `half open it lets probes pass and closes when they succeed`() {
        var course = opened()
        let passes = (0..<5).map { _ in admission(&course, after: .seconds(5)) }
        #expect(passes.prefix(3).allSatisfy { $0 == .passes(generation: 2) })
        #expect(passes.suffix(2).allSatisfy { $0 == .fails(timeLeft: .zero) })
        // A probe that says nothing makes room for another one.
        course.ended(.none, generation: 2, at: start)
        #expect(admission(&course, after: .seconds(5)) == .passes(generation: 2))
        for _ in 0..<3 { course.ended(.success, generation: 2, at: start) }
        #expect(course.state == .closed)
    }

    @Test func `a probe that fails opens it for twice the time, up to the longest`() {
        var course = opened()
        var (moment, expected) = (Duration.seconds(5), 10)
        for _ in 0..<6 {
            call(&course, .failure, after: moment)
            #expect(course.state == .open)
            #expect(admission(&course, after: moment) == .fails(timeLeft: .seconds(expected)))
            moment += .seconds(expected)
            expected = min(expected * 2, 60)
        }
        for _ in 0..<3 { call(&course, .success, after: moment) }
        for _ in 0..<10 { call(&course, .failure, after: moment) }
        #expect(admission(&course, after: moment) == .fails(timeLeft: .seconds(5)))
    }

    @Test func `calls of an earlier state do not count`() {
        var course = BreakerCourse(rules)
        for _ in 0..<10 { call(&course, .failure) }
        _ = admission(&course, after: .seconds(5))
        course.ended(.failure, generation: 0, at: start)
        course.ended(.success, count: 9, generation: 0, at: start)
        #expect(course.state == .halfOpen)
    }

    @Test func `over ten thousand steps its window agrees with one kept call by call`() {
        let random = SplitMixRandom(seed: 11)
        var rules = rules
        rules.minimumCalls = 20
        var course = BreakerCourse(rules)
        var (now, calls, opened) = (start, [(slice: Int64, failed: Bool)](), 0)
        for _ in 0..<10_000 {
            now = now.advanced(by: .milliseconds(random.index(below: 300)))
            guard case .passes(let generation) = course.admit(at: now) else { continue }
            guard course.state == .closed else {
                calls = []
                course.ended(.success, generation: generation, at: now)
                continue
            }
            let failed = random.unit() < 0.42
            let slice = now.nanoseconds / 1_000_000_000
            calls.append((slice, failed))
            calls.removeAll { $0.slice <= slice - 10 }
            course.ended(failed ? .failure : .success, generation: generation, at: now)
            let failures = calls.count { $0.failed }
            let expected = calls.count >= 20 && failures * 2 >= calls.count
            #expect((course.state == .open) == expected)
            opened += expected ? 1 : 0
        }
        #expect(opened > 10)
    }

    private func opened() -> BreakerCourse {
        var course = BreakerCourse(rules)
        for _ in 0..<10 { call(&course, .failure) }
        return course
    }
}
