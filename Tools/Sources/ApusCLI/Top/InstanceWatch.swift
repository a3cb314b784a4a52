// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization

/// Looks at one instance again and again: asks for its health, and listens to its load reports.
final class InstanceWatch: Sendable {
    private struct State {
        var sight: InstanceSight
        var tasks: [Task<Void, Never>] = []
    }

    private let channel: Channel
    private let interval: Duration
    private let clock: any MonotonicClock
    private let state: Mutex<State>

    init(_ address: String, _ channel: Channel, every interval: Duration, clock: any MonotonicClock = SystemClock()) {
        (self.channel, self.interval, self.clock) = (channel, interval, clock)
        state = Mutex(State(sight: InstanceSight(address)))
    }

    /// What is seen now.
    var sight: InstanceSight { state.withLock { $0.sight } }

    /// Begins to look.
    func begin() {
        state.withLock { $0.tasks = [Task { await self.askForHealth() }, Task { await self.listenToReports() }] }
    }

    /// Looks no more.
    func end() {
        for task in state.withLock({ $0.tasks }) { task.cancel() }
        channel.close()
    }

    private func askForHealth() async {
        let client = GRPCHealth.Client(channel)
        while !Task.isCancelled {
            let start = clock.now
            let options = CallOptions(timeout: max(interval, .seconds(1)))
            do throws(RPCError) {
                let answer = try await client.check(GRPCHealthCheckRequest(), options: options)
                state.withLock { $0.sight.answered(answer.status, after: start.duration(to: clock.now)) }
            } catch {
                state.withLock { $0.sight.failed(error, after: start.duration(to: clock.now)) }
            }
            try? await clock.sleep(until: start.advanced(by: interval))
        }
    }

    private func listenToReports() async {
        let request = OrcaLoadReportRequest(reportInterval: ProtobufDuration(interval))
        while !Task.isCancelled {
            do throws(RPCError) {
                let reports = try await OpenRcaService.Client(channel).streamCoreMetrics(request)
                while let report = try await reports.next() { state.withLock { $0.sight.load = report } }
            } catch {
                // Who has no load reports will not have them later.
                if error.code == .unimplemented { return }
            }
            try? await clock.sleep(until: clock.now.advanced(by: max(interval, .seconds(1))))
        }
    }
}
