// SPDX-License-Identifier: Apache-2.0

import LoadFigures
import Testing

struct TimelineTests {
    @Test func `a call counts in the step in which it was due`() {
        var timeline = Timeline(interval: .seconds(1))
        timeline.record(.milliseconds(5), at: .milliseconds(999))
        timeline.record(.milliseconds(7), at: .milliseconds(1000))
        timeline.record(nil, at: .milliseconds(2500))
        #expect(timeline.steps.map(\.latency.count) == [1, 1, 0])
        #expect(timeline.steps.map(\.failures) == [0, 0, 1])
    }

    @Test func `a long run has no more steps than a short one, and loses no call`() {
        var timeline = Timeline(interval: .milliseconds(250))
        for second in 0..<3600 { timeline.record(.milliseconds(1), at: .seconds(second)) }
        #expect(timeline.steps.count <= Timeline.maximumSteps)
        #expect(timeline.steps.map(\.latency.count).reduce(0, +) == 3600)
        #expect(timeline.interval == .milliseconds(250) * 128)
    }

    @Test func `timelines with different steps are put together at the coarser ones`() {
        var (long, short) = (Timeline(interval: .seconds(1)), Timeline(interval: .seconds(1)))
        for second in 0..<200 { long.record(.milliseconds(1), at: .seconds(second)) }
        for second in 0..<10 { short.record(nil, at: .seconds(second)) }
        #expect(long.interval == .seconds(2))
        var sum = short
        sum.merge(long)
        #expect(sum.interval == .seconds(2))
        #expect(sum.steps.prefix(5).map(\.failures) == [2, 2, 2, 2, 2])
        #expect(sum.steps.map(\.latency.count).reduce(0, +) == 200)
        var other = long
        other.merge(short)
        #expect(other == sum)
    }

    @Test func `a moment before the start counts as the start`() {
        var timeline = Timeline()
        timeline.record(.milliseconds(1), at: .seconds(-3))
        #expect(timeline.steps.count == 1)
    }
}
