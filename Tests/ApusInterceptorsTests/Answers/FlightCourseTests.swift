// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusInterceptors

struct FlightCourseTests {
    private func deadline(_ seconds: Int) -> CallDeadline {
        CallDeadline(at: MonotonicInstant(nanoseconds: Int64(seconds) * 1_000_000_000))
    }

    @Test func `a caller with less time asks alone, and one that comes after the last has left starts anew`() {
        var course = FlightCourse(deadline(5))
        #expect(
            [course.board(deadline(4)), course.board(deadline(5)), course.board(.none)] == [.alone, .shared, .shared])
        for _ in 0..<3 {
            #expect(!course.isAbandoned)
            course.leave()
        }
        #expect(course.isAbandoned && course.board(.none) == .next)
    }

    @Test func `a call that was answered is not abandoned, though all have left`() {
        var course = FlightCourse(deadline(5))
        course.land()
        course.leave()
        #expect(!course.isAbandoned)
    }

    @Test func `over ten thousand random steps calls are shared, left and cancelled as a list of callers says`() {
        struct Flight {
            var course: FlightCourse
            var callers: Int
            let seconds: Int
        }
        let random = SplitMixRandom(seed: 31)
        var flight: Flight?
        var (shared, alone, cancelled, landed) = (0, 0, 0, 0)
        for _ in 0..<10_000 {
            switch random.index(below: 10) {
            case 0...4:
                let seconds = random.index(below: 20)
                let boarding = flight?.course.board(deadline(seconds))
                if flight == nil {
                    flight = Flight(course: FlightCourse(deadline(seconds)), callers: 1, seconds: seconds)
                } else if let known = flight, seconds < known.seconds {
                    #expect(boarding == .alone)
                    alone += 1
                } else {
                    #expect(boarding == .shared)
                    flight?.callers += 1
                    shared += 1
                }
            case 5...8:
                guard let callers = flight?.callers else { continue }
                flight?.course.leave()
                flight?.callers -= 1
                #expect(flight?.course.isAbandoned == (callers == 1))
                guard callers == 1 else { continue }
                #expect(flight?.course.board(.none) == .next)
                flight = nil
                cancelled += 1
            default:
                guard let callers = flight?.callers else { continue }
                flight?.course.land()
                for _ in 0..<callers {
                    flight?.course.leave()
                    #expect(flight?.course.isAbandoned == false)
                }
                flight = nil
                landed += 1
            }
        }
        #expect(min(shared, alone, cancelled, landed) > 500)
    }
}
