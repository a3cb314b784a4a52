// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusOTLP

@Suite struct ExportCourseTests {
    private func failure(_ code: Status.Code) -> RPCError { RPCError(code, "scripted") }

    @Test func `an export that was taken is followed by the next after an interval`() {
        var course = ExportCourse(interval: .seconds(60))
        #expect(course.endedOnce(nil) == .seconds(60))
        #expect(course.endedOnce(nil) == .seconds(60))
        #expect((course.exported, course.failed) == (2, 0))
    }

    @Test func `failures that may pass are tried sooner, each later than the one before, until one passes`() {
        var course = ExportCourse(interval: .seconds(3))
        let waits = (0..<4).map { _ in course.endedOnce(failure(.unavailable)) }
        #expect(waits == [.seconds(1), .seconds(1.6), .seconds(1.6 * 1.6), .seconds(3)])
        #expect(course.endedOnce(nil) == .seconds(3))
        #expect(course.endedOnce(failure(.unavailable)) == .seconds(1))
        #expect((course.exported, course.failed) == (1, 5))
    }

    @Test(arguments: [(0.0, 0.8), (0.5, 1.0)]) func `waits are spread`(_ random: Double, _ seconds: Double) {
        var course = ExportCourse(interval: .seconds(60))
        #expect(course.ended(failure(.aborted), random: random) == .seconds(seconds))
    }

    @Test(arguments: Status.Code.allCases) func `only what may pass is tried sooner`(_ code: Status.Code) {
        guard code != .ok else { return }
        let passing: [Status.Code] = [
            .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss,
        ]
        var course = ExportCourse(interval: .seconds(60))
        #expect(course.endedOnce(failure(code)) == (passing.contains(code) ? .seconds(1) : .seconds(60)))
    }

    @Test func `an interval of nothing does not spin`() {
        var course = ExportCourse(interval: .zero)
        #expect(course.endedOnce(nil) == .milliseconds(1))
    }

    @Test func `a receiver that is away for days is asked at the interval`() {
        var course = ExportCourse(interval: .seconds(60))
        let waits = (0..<100_000).map { _ in course.endedOnce(failure(.unavailable)) }
        #expect(waits.last == .seconds(60))
        #expect(course.failed == 100_000)
    }
}

extension ExportCourse {
    /// Without spread.
    fileprivate mutating func endedOnce(_ error: RPCError?) -> Duration { ended(error, random: 0.5) }
}
