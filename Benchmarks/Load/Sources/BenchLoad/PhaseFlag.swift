// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Warm-up, measurement, end: what all lanes look at.
final class PhaseFlag: Sendable {
    enum Phase: UInt8, AtomicRepresentable {
        case warmUp, measurement, over
    }

    private let flag: Atomic<Phase>
    private let counts: Bool
    private let left: Atomic<Int>

    /// - Parameter operations: ends after so many, without a warm-up; nil: it is told when.
    init(operations: Int?) {
        flag = Atomic(operations == nil ? .warmUp : .measurement)
        counts = operations != nil
        left = Atomic(operations ?? 0)
    }

    var current: Phase { flag.load(ordering: .relaxed) }

    func begin(_ phase: Phase) { flag.store(phase, ordering: .relaxed) }

    /// Operations have ended; false if they do not count.
    func ended(_ operations: Int) -> Bool {
        guard current == .measurement else { return false }
        if counts, left.wrappingSubtract(operations, ordering: .relaxed).newValue <= 0 { begin(.over) }
        return true
    }
}
