// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// Asks event loops what they have to do, and notes how long each takes to answer: one question at a time is on its way
/// to a loop, so that one that is held collects none.
package final class LoopWatch: Sendable {
    /// What is known of a loop.
    package struct State: Sendable, Equatable {
        /// How long its last answer took, or how long it has not answered by now, whichever is longer.
        package var lag: Duration
        /// Connections of the servers on it.
        package var connections: Int
        /// Calls on these connections that have not ended.
        package var streams: Int
    }

    private let places: [Place]
    private let clock: any MonotonicClock

    /// Knows nothing before the first ``ask(about:)``.
    package init(_ loops: EventLoops, clock: any MonotonicClock = SystemClock()) {
        self.clock = clock
        places = loops.members.map { Place($0) }
    }

    /// Puts the question to every loop that has answered the one before.
    package func ask(about servers: [ServerInspection]) {
        for place in places { place.ask(about: servers, clock) }
    }

    /// The loops in their order.
    package var states: [State] {
        let now = clock.now
        return places.map { $0.state(at: now) }
    }

    private final class Place: Sendable {
        private struct Known {
            var asked: MonotonicInstant?
            var state = State(lag: .zero, connections: 0, streams: 0)
        }

        private let loop: any EventLoop
        private let known = Mutex(Known())

        init(_ loop: any EventLoop) { self.loop = loop }

        func ask(about servers: [ServerInspection], _ clock: any MonotonicClock) {
            let now = clock.now
            let isFree = known.withLock { known in
                guard known.asked == nil else { return false }
                known.asked = now
                return true
            }
            guard isFree else { return }
            loop.execute { [self] in
                let lag = now.duration(to: clock.now)
                let loads = servers.map { $0.load(of: loop) }
                let state = State(
                    lag: lag, connections: loads.reduce(0) { $0 + $1.connections },
                    streams: loads.reduce(0) { $0 + $1.streams })
                known.withLock { $0 = Known(asked: nil, state: state) }
            }
        }

        func state(at now: MonotonicInstant) -> State {
            known.withLock { known in
                var state = known.state
                if let asked = known.asked { state.lag = max(state.lag, asked.duration(to: now)) }
                return state
            }
        }
    }
}
