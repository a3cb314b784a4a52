// SPDX-License-Identifier: Apache-2.0

import ApusCore
@testable import ApusEtcd
import Testing

struct LeaseCourseTests {
    private static let start = MonotonicInstant(nanoseconds: 0)
    private var course = LeaseCourse(now: Self.start)

    private func moment(_ seconds: Int64) -> MonotonicInstant { Self.start.advanced(by: .seconds(seconds)) }

    private mutating func live() {
        course.granted(7, seconds: 9, at: moment(0))
        course.put(at: moment(0))
    }

    @Test mutating func `a lease is granted, the key is put, then the lease is kept alive three times in its time`() {
        #expect(course.step == .grant)
        course.granted(7, seconds: 9, at: moment(0))
        #expect(course.step == .put(lease: 7))
        #expect(course.due == moment(0))
        course.put(at: moment(0))
        #expect(course.step == .keepAlive(lease: 7))
        #expect(course.due == moment(3))
        course.keptAlive(seconds: 9, at: moment(3))
        #expect(course.due == moment(6))
    }

    @Test mutating func `a lease that is gone is granted anew at once, and the key is put again`() {
        live()
        course.keptAlive(seconds: 0, at: moment(3))
        #expect(course.step == .grant)
        #expect(course.due == moment(3))
        course.granted(8, seconds: 9, at: moment(3))
        #expect(course.step == .put(lease: 8))
    }

    @Test mutating func `a heartbeat that failed is sent again, at growing intervals, with the same lease`() {
        live()
        var waits: [Duration] = []
        for _ in 0..<20 {
            course.failed(.unavailable, at: moment(3), unit: 0.5)
            waits.append(moment(3).duration(to: course.due))
            #expect(course.step == .keepAlive(lease: 7))
        }
        #expect(waits.first == .milliseconds(200))
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(waits.last == .seconds(5))
        course.keptAlive(seconds: 9, at: moment(30))
        course.failed(.unavailable, at: moment(33), unit: 0.5)
        #expect(course.due == moment(33).advanced(by: .milliseconds(200)))
    }

    @Test mutating func `a key that cannot be put because the lease is gone gets another lease`() {
        course.granted(7, seconds: 9, at: moment(0))
        course.failed(.notFound, at: moment(0), unit: 0.5)
        #expect(course.step == .grant)
        #expect(course.due > moment(0))
    }

    @Test(arguments: [Int64.min, -1, 0, .max]) mutating func `a lease of no sensible time does no harm`(seconds: Int64)
    {
        course.granted(7, seconds: seconds, at: moment(0))
        course.put(at: moment(0))
        #expect(course.due > moment(0))
        #expect(course.due <= moment(86_400))
    }
}
