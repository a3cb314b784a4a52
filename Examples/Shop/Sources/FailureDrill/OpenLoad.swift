// SPDX-License-Identifier: Apache-2.0

import Apus
import DrillProtos

/// Starts calls at a fixed rate, whether or not earlier ones have ended: as independent users do.
struct OpenLoad: Sendable {
    let client: Worker.Client
    /// Calls a second.
    let rate: Int
    let record: Record

    /// Goes on until the task is cancelled, then waits for the calls that are under way.
    func run() async {
        await withDiscardingTaskGroup { group in
            var number = 0
            while !Task.isCancelled {
                let due = record.now
                while Self.due(number, rate) <= due {
                    let (call, moment) = (number, Self.due(number, rate))
                    // Not of the group's cancellation: calls under way end by themselves.
                    group.addTask { await Task { await one(call, due: moment) }.value }
                    number += 1
                }
                try? await Task.sleep(for: .milliseconds(1))
            }
        }
    }

    private static func due(_ number: Int, _ rate: Int) -> Duration { .nanoseconds(number * (1_000_000_000 / rate)) }

    private func one(_ number: Int, due: Duration) async {
        let trace = CallTrace()
        var error: String?
        do {
            let reply = try await CallTrace.$current.withValue(trace) {
                try await client.work(WorkRequest(number: Int64(number)))
            }
            if reply.number != Int64(number) { error = "the answer of another call" }
        } catch let failure {
            error = "\(failure)"
        }
        record.ended(
            FinishedCall(due: due, latency: record.now - due, error: error, instances: trace.instances))
    }
}
