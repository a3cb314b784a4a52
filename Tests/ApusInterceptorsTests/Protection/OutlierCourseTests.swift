// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct OutlierCourseTests {
    let start = MonotonicInstant(nanoseconds: 5_000_000_000)
    let random = SplitMixRandom(seed: 1)
    let five: [UInt64] = [0, 1, 2, 3, 4]

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
        return course.sweep([counts], at: start, random).map(\.id)
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
        let bad = counts([99, 99, 99, 99, 99])
        #expect(sweep(rules { $0.maximumEjectedPercent = 10 }, bad).count == 1)
        #expect(sweep(rules { $0.maximumEjectedPercent = 50 }, bad).count == 3)
        #expect(sweep(rules { $0.maximumEjectedPercent = 100 }, bad).count == 4)
        #expect(sweep(rules { $0.maximumEjectedPercent = 0 }, bad).isEmpty)
    }

    @Test func `enforcement is the share of outliers that are ejected`() {
        var rules = rules { $0.successRate = nil }
        rules.failurePercentage?.enforcement = 30
        let ejected = (0..<10_000).count { _ in !sweep(rules, counts([0, 0, 0, 0, 99])).isEmpty }
        #expect((2795...3205).contains(ejected))
    }

    @Test func `failures in a row eject at once`() {
        var course = OutlierCourse(rules())
        let early = course.failedInRow(4, id: 1, among: five, at: start)
        let ejection = course.failedInRow(5, id: 1, among: five, at: start)
        let again = course.failedInRow(6, id: 1, among: five, at: start)
        #expect(early == nil && again == nil)
        #expect(ejection == OutlierCourse.Ejection(id: 1, duration: .seconds(30)))
    }

    @Test func `each ejection lasts longer, up to the longest, and good intervals make the next one shorter`() {
        var course = OutlierCourse(rules())
        var now = start
        for expected in [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300] {
            let ejection = course.failedInRow(5, id: 0, among: five, at: now)
            #expect(ejection?.duration == .seconds(expected))
            now = now.advanced(by: .seconds(expected))
        }
        for _ in 0..<8 { _ = course.sweep([counts([0, 0, 0, 0, 0])], at: now, random) }
        let ejection = course.failedInRow(5, id: 0, among: five, at: now)
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
            for ejection in course.sweep([counts], at: now, random) {
                #expect(until[ejection.id] == nil)
                #expect(until.count * 100 < 30 * total && until.count + 1 < total)
                until[ejection.id] = now.advanced(by: ejection.duration)
                ejections += 1
            }
        }
        #expect(ejections > 1000)
    }

    @Test func `lists without a common endpoint leave each other's ejections alone`() {
        var course = OutlierCourse(rules { $0.successRate = nil })
        let first = counts([0, 0, 0, 0, 99])
        let second = first.map { OutlierCourse.Count(id: $0.id + 10, successes: $0.successes, failures: $0.failures) }
        let ejected = course.sweep([first, second], at: start, random)
        #expect(ejected.map(\.id) == [4, 14])
        let again = course.sweep([first, second], at: start.advanced(by: .seconds(10)), random)
        #expect(again.isEmpty)
        let longer = course.sweep([first, second], at: start.advanced(by: .seconds(30)), random)
        #expect(longer == [4, 14].map { OutlierCourse.Ejection(id: $0, duration: .seconds(60)) })
    }

    @Test func `an endpoint of two lists is judged in both on the same counts, and ejected once`() {
        let rules = rules { $0.successRate = nil }
        let all = counts([0, 0, 99, 0, 0, 0, 0, 99])
        for lists in [[Array(all.prefix(5)), all], [all, Array(all.prefix(5))]] {
            var course = OutlierCourse(rules)
            let ejected = course.sweep(lists, at: start, random).map(\.id).sorted()
            #expect(ejected == [2, 7])
        }
        // Alone among the first four, of which there are too few.
        #expect(sweep(rules, Array(all.prefix(4))).isEmpty)
    }

    @Test func `an endpoint of many lists is spared as often as one of a single list`() {
        var rules = rules { $0.successRate = nil }
        rules.failurePercentage?.enforcement = 30
        let list = counts([0, 0, 0, 0, 99])
        let ejected = (0..<10_000).count { _ in
            var course = OutlierCourse(rules)
            return !course.sweep([list, list, list, list], at: start, random).isEmpty
        }
        #expect((2795...3205).contains(ejected))
    }

    @Test func `in ten thousand random intervals overlapping lists see whole counts and keep their own maximum`() {
        let rules = rules {
            $0.successRate = nil
            $0.maximumEjectedPercent = 60
        }
        var course = OutlierCourse(rules)
        var (now, until) = (start, [UInt64: MonotonicInstant]())
        var (ejections, shared) = (0, 0)
        for _ in 0..<10_000 {
            now = now.advanced(by: .seconds(1 + random.index(below: 60)))
            let all = counts((0..<20).map { _ in random.index(below: 5) == 0 ? 95 : random.index(below: 80) })
            // Parts of each other, overlapping, or apart.
            let lists = (0..<3).map { _ in
                let first = random.index(below: 15)
                return Array(all[first..<(first + 1 + random.index(below: 20 - first))])
            }
            let before = until.filter { $0.value > now }
            let fresh = course.sweep(lists, at: now, random)
            #expect(Set(fresh.map(\.id)).count == fresh.count)
            #expect(fresh.allSatisfy { before[$0.id] == nil })
            until = before
            for ejection in fresh { until[ejection.id] = now.advanced(by: ejection.duration) }
            let judging = lists.filter { $0.count >= 5 }
            for id in fresh.map(\.id) {
                let accusing = judging.filter { list in list.contains { $0.id == id && $0.failures > 85 } }
                #expect(!accusing.isEmpty)
                if accusing.count > 1 { shared += 1 }
            }
            // Who fails too often in a list is ejected, unless that would be too many of it.
            for list in judging {
                let ejected = list.count { until[$0.id] != nil }
                let isFull = ejected * 100 >= 60 * list.count || ejected + 1 >= list.count
                #expect(isFull || list.allSatisfy { $0.failures <= 85 || until[$0.id] != nil })
            }
            ejections += fresh.count
        }
        #expect(ejections > 1000 && shared > 1000)
    }

    @Test func `an endpoint that is in no list any more is forgotten`() {
        var course = OutlierCourse(rules { $0.successRate = nil })
        _ = course.sweep([counts([0, 0, 0, 0, 99])], at: start, random)
        let later = start.advanced(by: .seconds(301))
        _ = course.sweep([counts([0, 0, 0, 0])], at: later, random)
        let ejection = course.failedInRow(5, id: 4, among: five, at: later)
        #expect(ejection == OutlierCourse.Ejection(id: 4, duration: .seconds(30)))
    }
}
