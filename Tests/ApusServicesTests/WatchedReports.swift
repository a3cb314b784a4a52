// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusServices
import Synchronization

/// Remembers the reports that a balancer gets.
final class WatchedReports: LoadReportSource {
    private struct State {
        var reports: [LoadReport] = []
        var endpoints: Set<EndpointHandle> = []
    }

    private let base: ORCAReports
    private let state = Mutex(State())

    init(base: ORCAReports) { self.base = base }

    var reports: [LoadReport] { state.withLock { $0.reports } }
    var endpoints: Set<EndpointHandle> { state.withLock { $0.endpoints } }
    var isOutOfBand: Bool { base.isOutOfBand }

    func report(in trailers: Metadata) -> LoadReport? {
        let report = base.report(in: trailers)
        if let report { state.withLock { $0.reports.append(report) } }
        return report
    }

    func follow(
        _ handle: EndpointHandle, of target: String, through next: ClientNext,
        _ receive: @Sendable (LoadReport) -> Void
    ) async throws {
        try await base.follow(handle, of: target, through: next) { report in
            state.withLock { state in
                state.reports.append(report)
                state.endpoints.insert(handle)
            }
            receive(report)
        }
    }
}

/// A clock that never moves and remembers how long it was to sleep.
final class StandingClock: MonotonicClock {
    private let asked = Mutex<[Duration]>([])

    var sleeps: [Duration] { asked.withLock { $0 } }
    var now: MonotonicInstant { MonotonicInstant(nanoseconds: 0) }

    func sleep(until deadline: MonotonicInstant) async throws {
        asked.withLock { $0.append(now.duration(to: deadline)) }
        try await Task.sleep(for: .seconds(3600))
    }
}
