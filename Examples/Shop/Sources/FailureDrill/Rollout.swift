// SPDX-License-Identifier: Apache-2.0

import Apus
import DrillProtos
import Figures
import Processes

/// Replaces every instance of a service by one of the next version, again and again, under calls and open streams.
///
/// A new instance starts, is ready, and stands in the registry; then the old one leaves the registry, lets its calls and
/// streams end, and goes. At last comes a version that never gets ready: nothing old may go for it.
public final class Rollout: Sendable {
    /// How much of everything.
    public struct Plan: Sendable {
        /// Instances of the service.
        public var instances = 5
        /// Calls a second.
        public var rate = 2000
        /// Streams that are open at once.
        public var streams = 50
        /// How often all instances are replaced.
        public var rounds = 50
        /// How long the version that never gets ready is waited for.
        public var patience = Duration.seconds(2)

        /// The whole rollout.
        public init() {}
    }

    private let plan: Plan
    private let workers: Workers

    /// A rollout.
    ///
    /// - Parameter worker: the path of `drill-worker`.
    /// - Throws: ``DrillError`` when that is missing; when no folder can be made.
    public init(_ plan: Plan = Plan(), worker: String) throws {
        self.plan = plan
        workers = try Workers(program: worker)
    }

    /// Ends all processes and removes the rollout's folder.
    public func cleanUp() async { await workers.killAll() }

    /// Replaces all that is to be replaced.
    ///
    /// - Parameter say: is told what happens, a line at a time.
    /// - Throws: ``DrillError`` when a process does not do what it is told.
    public func run(_ say: (String) -> Void = { _ in }) async throws -> RolloutReport {
        var names: [String] = []
        for index in 1...max(2, plan.instances) {
            names.append("worker-\(index)")
            try await workers.start(names[index - 1], version: "0")
        }
        let record = Record()
        let channel = Channel(
            Workers.service, interceptors: FailureDrill.stack(workers.registry, TryWitness(record: record)))
        defer { channel.close() }
        let client = Worker.Client(channel)
        let calls = OpenLoad(client: client, rate: plan.rate, record: record)
        let counts = CountingLoad(client: client, streams: plan.streams)
        let running = Task {
            async let counting: Void = counts.run()
            await calls.run()
            await counting
        }
        var report: RolloutReport
        do {
            defer { running.cancel() }
            report = try await replaceAll(&names, say)
        }
        await running.value
        report.add(record.calls)
        report.add(streams: counts.ended, errors: counts.errors)
        for name in names { try await workers.stop(name) }
        return report
    }

    private func replaceAll(_ names: inout [String], _ say: (String) -> Void) async throws -> RolloutReport {
        var report = RolloutReport()
        for round in 1...max(1, plan.rounds) {
            let (start, version) = (ContinuousClock.now, String(round))
            for index in names.indices {
                let new = "worker-\(index + 1).\(version)"
                try await workers.start(new, version: version)
                try await workers.stop(names[index])
                names[index] = new
                report.replaced += 1
            }
            try await workers.settle(names)
            guard workers.versions == [version] else {
                throw DrillError("after round \(round) the registry has the versions \(workers.versions.sorted())")
            }
            report.rounds += 1
            let time = seconds(start.duration(to: .now))
            say("round \(round) of \(plan.rounds): version \(version) on all \(names.count) instances after \(time)")
        }
        report.refusal = try await workers.startInVain("worker-1.unready", patience: plan.patience)
        if let refusal = report.refusal { say("the rollout of a version that never gets ready stops: \(refusal)") }
        try await workers.settle(names)
        return report
    }
}
