// SPDX-License-Identifier: Apache-2.0

import Apus

extension InteropCase {
    /// Many calls, one after the other: over one channel, or each over its own.
    static let soaks: [InteropCase] = [
        InteropCase("rpc_soak") { client in
            let soak = Soak(client.soak, client.clock)
            try await soak.run { try await soak.call(client.channel) }
        },
        InteropCase("channel_soak") { client in
            let soak = Soak(client.soak, client.clock)
            try await soak.run {
                let channel = client.open()
                defer { channel.close() }
                try await soak.call(channel)
            }
        },
    ]
}

/// The calls of a soak case and what became of them.
private struct Soak {
    let limits: SoakLimits
    private let clock: any MonotonicClock
    private let end: MonotonicInstant

    /// What a thread saw.
    struct Tally {
        var done = 0
        var problems: [String] = []
    }

    /// The time for all calls starts now.
    init(_ limits: SoakLimits, _ clock: any MonotonicClock) {
        self.limits = limits
        self.clock = clock
        end = clock.now.advanced(by: limits.overall)
    }

    func run(_ call: @escaping @Sendable () async throws -> Void) async throws {
        let total = await withTaskGroup(of: Tally.self) { group in
            for _ in 0..<limits.threads { group.addTask { await thread(call) } }
            return await group.reduce(into: Tally()) { total, tally in
                total.done += tally.done
                total.problems += tally.problems
            }
        }
        try judge(total)
    }

    func call(_ channel: Channel) async throws {
        let request = try SimpleRequest.large(limits.requestSize, response: limits.responseSize)
        let options = CallOptions(timeout: clock.now.duration(to: end))
        let response = try await TestService.Client(channel).unaryCall(request, options: options)
        try response.payload.expectZeros("the response", limits.responseSize)
    }

    private func thread(_ call: @Sendable () async throws -> Void) async -> Tally {
        let iterations = limits.iterations / limits.threads
        var tally = Tally()
        while tally.done < iterations, clock.now < end {
            let start = clock.now
            do {
                try await call()
                let taken = start.duration(to: clock.now)
                if taken > limits.latency { tally.problems.append("a call took \(taken)") }
            } catch {
                tally.problems.append("\(error)")
            }
            tally.done += 1
            if tally.done < iterations {
                try? await clock.sleep(until: start.advanced(by: limits.interval))
            }
        }
        return tally
    }

    private func judge(_ tally: Tally) throws {
        try expect("calls within \(limits.overall)", tally.done, is: limits.iterations)
        guard tally.problems.count > limits.maximumFailures else { return }
        throw InteropFailure(
            "expected at most \(limits.maximumFailures) of \(tally.done) calls to fail or be late, came "
                + "\(tally.problems.count), the first: \(tally.problems.first ?? "")")
    }
}
