// SPDX-License-Identifier: Apache-2.0

/// Lanes that each make one call after the other, for a time or a number of operations.
public struct ClosedLoop {
    // More than these are no accident.
    private static let mostErrors = 1000

    private let options: LoadOptions
    private let phase: PhaseFlag

    /// A loop with the flags of a generator.
    public init(_ options: LoadOptions) {
        self.options = options
        phase = PhaseFlag(operations: options.calls)
    }

    /// Runs as many lanes as calls shall be in flight.
    ///
    /// - Parameters:
    ///   - executors: where the lanes run, each in turn; none for Swift's own pool.
    ///   - turn: makes the lane's next call, or as many of them as its stream lasts, and counts what ends in the tally.
    public func run<Lane: Sendable>(
        on executors: [any TaskExecutor], lanes: (Int) -> Lane,
        turn: @escaping @Sendable (Lane, inout Ids, inout Tally) async throws -> Void
    ) async throws -> Report {
        try await withThrowingTaskGroup(of: Tally.self) { group in
            for number in 0..<options.concurrency {
                let lane = lanes(number)
                let executor = executors.isEmpty ? nil : executors[number % executors.count]
                group.addTask(executorPreference: executor) { [phase] in
                    await Self.tally(phase, lane, Ids(lane: number), turn)
                }
            }
            let (from, to) = try await measurement()
            var all = Tally(phase)
            for try await tally in group { all.add(tally) }
            return Report(options, all, from: from, to: to)
        }
    }

    private static func tally<Lane>(
        _ phase: PhaseFlag, _ lane: Lane, _ first: Ids, _ turn: (Lane, inout Ids, inout Tally) async throws -> Void
    ) async -> Tally {
        var ids = first
        var tally = Tally(phase)
        while !tally.isOver, tally.errors < mostErrors {
            do {
                try await turn(lane, &ids, &tally)
            } catch {
                tally.fail(error)
            }
        }
        return tally
    }

    private func measurement() async throws -> (from: Moment, to: Moment) {
        guard options.calls == nil else {
            let from = Moment(server: options.pid)
            while phase.current != .over { try await Task.sleep(for: .milliseconds(10)) }
            return (from, Moment(server: options.pid))
        }
        try await Task.sleep(for: .seconds(1))
        let from = Moment(server: options.pid)
        phase.begin(.measurement)
        try await Task.sleep(for: .seconds(options.seconds))
        let to = Moment(server: options.pid)
        phase.begin(.over)
        return (from, to)
    }
}

/// The ids of a lane's messages: five bytes on the wire, no two alike.
public struct Ids: Sendable {
    private var last: Int64

    /// The ids of a lane.
    public init(lane: Int) { last = Int64(1) << 28 + Int64(lane) << 32 }

    /// Another id.
    public mutating func next() -> Int64 {
        last += 1
        return last
    }
}
