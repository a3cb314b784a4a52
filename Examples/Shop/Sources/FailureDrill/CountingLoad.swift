// SPDX-License-Identifier: Apache-2.0

import Apus
import DrillProtos
import Synchronization

/// Keeps streams open: each counts for a while, ends, and is followed by the next.
final class CountingLoad: Sendable {
    private struct State {
        var ended = 0
        var errors: [String] = []
    }

    private let client: Worker.Client
    private let streams: Int
    private let end: Int32
    private let interval: Int32
    private let state = Mutex(State())

    /// - Parameters:
    ///   - streams: how many are open at once.
    ///   - end: how far each counts.
    ///   - interval: milliseconds between two numbers.
    init(client: Worker.Client, streams: Int, end: Int32 = 25, interval: Int32 = 20) {
        self.client = client
        self.streams = streams
        self.end = end
        self.interval = interval
    }

    /// Streams that are over.
    var ended: Int { state.withLock { $0.ended } }
    /// Why streams broke, once for each of them.
    var errors: [String] { state.withLock { $0.errors } }

    /// Goes on until the task is cancelled, then lets the streams end by themselves.
    func run() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<streams {
                group.addTask {
                    // Not of the group's cancellation: a stream under way counts to its end.
                    while !Task.isCancelled { await Task { await self.one() }.value }
                }
            }
        }
    }

    private func one() async {
        var problem: String?
        do {
            problem = try await count()
        } catch {
            problem = "\(error)"
        }
        state.withLock { state in
            state.ended += 1
            if let problem { state.errors.append(problem) }
        }
    }

    private func count() async throws -> String? {
        let replies = try await client.count(CountRequest(end: end, intervalMilliseconds: interval))
        var last: Int32 = 0
        for try await reply in replies {
            guard reply.number == last + 1 else { return "\(reply.number) came behind \(last)" }
            last = reply.number
        }
        return last == end ? nil : "the count ended at \(last), not at \(end)"
    }
}
