// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// How long the event loops keep work waiting: a signal for load shedding. A loop that is held, or has too much to do,
/// lags.
///
/// Each loop gets an empty piece of work some times a second; the time until it runs is the lag. The measuring ends
/// with the value.
public final class LoopLag: LoadSignal {
    /// `event-loop lag`.
    public var name: String { "event-loop lag" }

    private let probes: [Probe]
    private let limit: Duration
    private let clock: any MonotonicClock
    private let task: Task<Void, Never>

    /// Measures the lag of loops.
    ///
    /// - Parameters:
    ///   - limit: the lag that counts as a load of 1.
    ///   - interval: the time between two probes.
    public init(
        of loops: EventLoops, limit: Duration = .milliseconds(100), interval: Duration = .milliseconds(50),
        clock: any MonotonicClock = SystemClock()
    ) {
        let probes = loops.members.map { Probe($0, clock) }
        self.probes = probes
        self.limit = max(.nanoseconds(1), limit)
        self.clock = clock
        let pause = max(.milliseconds(1), interval)
        task = Task {
            while !Task.isCancelled {
                for probe in probes { probe.post() }
                try? await clock.sleep(until: clock.now.advanced(by: pause))
            }
        }
    }

    deinit { task.cancel() }

    /// The longest lag of all loops, as a part of the limit.
    public func load() -> Double {
        let now = clock.now
        let longest = probes.map { $0.lag(at: now) }.max() ?? .zero
        return Double(longest.saturatedNanoseconds) / Double(limit.saturatedNanoseconds)
    }

    private final class Probe: Sendable {
        private static let none = Int64.min
        private let loop: any EventLoop
        private let clock: any MonotonicClock
        private let posted = Atomic<Int64>(none)
        private let last = Atomic<Int64>(0)

        init(_ loop: any EventLoop, _ clock: any MonotonicClock) {
            self.loop = loop
            self.clock = clock
        }

        func post() {
            // One at a time: a loop that is held must not collect them.
            let now = clock.now.nanoseconds
            guard posted.compareExchange(expected: Self.none, desired: now, ordering: .relaxed).exchanged else {
                return
            }
            loop.execute { self.ran() }
        }

        private func ran() {
            let began = MonotonicInstant(nanoseconds: posted.exchange(Self.none, ordering: .relaxed))
            last.store(began.duration(to: clock.now).saturatedNanoseconds, ordering: .relaxed)
        }

        // What waits now counts, too: a loop that is held for ever would never tell.
        func lag(at now: MonotonicInstant) -> Duration {
            let began = posted.load(ordering: .relaxed)
            let last = Duration.nanoseconds(self.last.load(ordering: .relaxed))
            guard began != Self.none else { return last }
            return max(last, MonotonicInstant(nanoseconds: began).duration(to: now))
        }
    }
}
