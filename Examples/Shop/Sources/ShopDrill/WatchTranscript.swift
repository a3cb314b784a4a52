// SPDX-License-Identifier: Apache-2.0

/// What a watch of one order has told, over all the streams that it took: each state once, in its order, up to the
/// last.
public struct WatchTranscript: Sendable, Hashable {
    /// The sequence number after which a new stream has to go on.
    public private(set) var lastSequence: Int32 = 0
    private let order: String
    private let finalSequence: Int32
    private var faults: [String] = []

    /// Nothing was told yet.
    ///
    /// - Parameters:
    ///   - order: what to call the order in a finding.
    ///   - finalSequence: the number of the order's last state.
    public init(order: String, finalSequence: Int32) {
        self.order = order
        self.finalSequence = finalSequence
    }

    /// Whether the last state was told.
    public var isComplete: Bool { lastSequence >= finalSequence }

    /// A state was told.
    public mutating func told(_ sequence: Int32) {
        if sequence != lastSequence &+ 1 {
            faults.append("watch of \(order): state \(sequence) was told after \(lastSequence)")
        }
        lastSequence = max(lastSequence, sequence)
    }

    /// What is wrong now that the watch is over, one line each.
    public var findings: [String] {
        isComplete ? faults : faults + ["watch of \(order): ended after state \(lastSequence) of \(finalSequence)"]
    }
}
