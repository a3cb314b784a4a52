// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct OutlierCourseTests {
    let start = MonotonicInstant(nanoseconds: 5_000_000_000)
    let random = SplitMixRandom(seed: 1)

    private func counts(_ failures: [Int], calls: Int = 100) -> [OutlierCourse.Count] {
        failures.enumerated().map { OutlierCourse.Count(id: UInt64($0), successes: calls - $1, failures: $1) }
    }

    private func rules(_ change: (inout OutlierRules) -> Void = { _ in }) -> OutlierRules {
        var rules = OutlierRules()
        rules.maximumEjectedPercent = 50
        change(&rules)
        return rules
    }

    private func sweep(_ rules: OutlierRules, _ counts: [OutlierCourse.Count]) -> [UInt64] {
        var course = OutlierCourse(rules)
        return course.sweep(counts, at: start, random).map(\.id)
    }

    @Test func `an endpoint far below the others' success rate is ejected`() {
        let rules = rules { $0.failurePercentage = nil }
        #expect(sweep(rules, counts([1, 0, 2, 1, 40])) == [4])
        #expect(sweep(rules, counts([1, 0, 2, 1, 2])).isEmpty)
        #expect(sweep(rules, counts([40, 41, 39, 40, 42])).isEmpty)
    }

    @Test func `too few calls or endpoints say nothing`() {
        let rules = rules { $0.failurePercentage = nil }
        #expect(sweep(rules, counts([1, 0, 2, 40])).isEmpty)
        #expect(sweep(rules, counts([1, 0, 2, 1, 40], calls: 99)).isEmpty)
    }

    @Test func `an endpoint above the limit of failures is ejected`() {
        let rules = rules { $0.successRate = nil }
        #expect(sweep(rules, counts([0, 0, 0, 85, 86])) == [4])
        #expect(sweep(rules, counts([0, 0, 0, 86])).isEmpty)
        #expect(sweep(rules, counts([0, 0, 0, 0, 49], calls: 49)).isEmpty)
    }

    @Test func `no more than the maximum are ejected, one always may be, and the last one never`() {
        let five = counts([99, 99, 99, 99, 99])
        #expect(sweep(rules { $0.maximumEjectedPercent = 10 }, five).count == 1)
        #expect(sweep(rules { $0.maximumEjectedPercent = 50 }, five).count == 3)
        #expect(sweep(rules { $0.maximumEjectedPercent = 100 }, five).count == 4)
        #expect(sweep(rules { $0.maximumEjectedPercent = 0 }, five).isEmpty)
    }

    @Test func `enforcement is the share of outliers that are ejected`() {
        var rules = rules { $0.successRate = nil }
        rules.failurePercentage?.enforcement = 30
        let ejected = (0..<10_000).count { _ in !sweep(rules, counts([0, 0, 0, 0, 99])).isEmpty }
        #expect((2795...3205).contains(ejected))
    }

    @Test func `failures in a row eject at once`() {
        var course = OutlierCourse(rules())
        let early = course.failedInRow(4, id: 1, of: 5, at: start)
        let ejection = course.failedInRow(5, id: 1, of: 5, at: start)
        let again = course.failedInRow(6, id: 1, of: 5, at: start)
        #expect(early == nil && again == nil)
        #expect(ejection == OutlierCourse.Ejection(id: 1, duration: .seconds(30)))
    }

    @Test func `each ejection lasts longer, up to the longest, and good intervals make the next one shorter`() {
        var course = OutlierCourse(rules())
        var now = start
        for expected in [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300] {
            let ejection = course.failedInRow(5, id: 0, of: 5, at: now)
            #expect(ejection?.duration == .seconds(expected))
            now = now.advanced(by: .seconds(expected))
        }
        for _ in 0..<8 { _ = course.sweep(counts([0, 0, 0, 0, 0]), at: now, random) }
        let ejection = course.failedInRow(5, id: 0, of: 5, at: now)
        #expect(ejection?.duration == .seconds(120))
    }

    @Test func `over ten thousand random sweeps the maximum holds and nobody is ejected twice at once`() {
        let rules = rules { $0.maximumEjectedPercent = 30 }
        var course = OutlierCourse(rules)
        var (now, until) = (start, [UInt64: MonotonicInstant]())
        var ejections = 0
        for _ in 0..<10_000 {
            now = now.advanced(by: .seconds(1 + random.index(below: 20)))
            let total = 5 + random.index(below: 15)
            let counts = counts((0..<total).map { _ in random.index(below: 4) == 0 ? 95 : random.index(below: 3) })
            until = until.filter { $0.value > now && $0.key < total }
            for ejection in course.sweep(counts, at: now, random) {
                #expect(until[ejection.id] == nil)
                #expect(until.count * 100 < 30 * total && until.count + 1 < total)
                until[ejection.id] = now.advanced(by: ejection.duration)
                ejections += 1
            }
        }
        #expect(ejections > 1000)
    }
}
