// SPDX-License-Identifier: Apache-2.0

/// What one lane has seen. Only what ends during the measurement counts, but every error does.
struct Tally: Sendable {
    private let phase: PhaseFlag
    private(set) var latency = LatencyHistogram()
    private(set) var operations = 0
    private(set) var errors = 0
    private(set) var firstError: String?

    init(_ phase: PhaseFlag) { self.phase = phase }

    var isOver: Bool { phase.current == .over }

    mutating func count(operations count: Int) {
        if phase.current == .measurement { operations &+= count }
    }

    mutating func finish(since start: UInt64, operations count: Int) {
        guard phase.current == .measurement else { return }
        operations &+= count
        latency.record(nanoseconds() &- start)
    }

    mutating func fail(_ error: any Error) {
        errors += 1
        if firstError == nil { firstError = "\(error)" }
    }

    mutating func add(_ other: Tally) {
        latency.add(other.latency)
        operations += other.operations
        errors += other.errors
        firstError = firstError ?? other.firstError
    }
}
