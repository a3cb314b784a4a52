// SPDX-License-Identifier: Apache-2.0

/// What one lane has seen. Only what ends during the measurement counts, but every error does.
public struct Tally: Sendable {
    private let phase: PhaseFlag
    private(set) var latency = LatencyHistogram()
    private(set) var operations = 0
    private(set) var errors = 0
    private(set) var firstError: String?

    init(_ phase: PhaseFlag) { self.phase = phase }

    /// Whether the lane shall end.
    public var isOver: Bool { phase.current == .over }

    /// Messages of a call have come.
    public mutating func count(_ messages: Int) {
        if phase.ended(messages) { operations &+= messages }
    }

    /// A call has ended, or a message has come back.
    ///
    /// - Parameters:
    ///   - start: when it began, as `nanoseconds()` told it.
    ///   - count: the operations that it was, beyond those that were counted already.
    public mutating func finish(since start: UInt64, operations count: Int) {
        guard phase.ended(count) else { return }
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

/// An answer that is none.
public struct WrongReply: Error, CustomStringConvertible {
    /// What was wrong with it.
    public let description: String

    /// An answer that is wrong for a reason.
    public init(_ text: String) { description = "wrong reply: \(text)" }
}
