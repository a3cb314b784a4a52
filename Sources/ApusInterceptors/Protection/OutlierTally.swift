// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The ends of one endpoint's calls.
final class OutlierTally: Sendable {
    private static let last = Atomic<UInt64>(0)

    let id = OutlierTally.last.wrappingAdd(1, ordering: .relaxed).newValue
    // Its handle keeps this: no owner, and no cycle.
    private weak let handleReference: EndpointHandle?
    private let successes = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    private let inRow = Atomic<Int>(0)

    init(_ handle: EndpointHandle) { handleReference = handle }

    var handle: EndpointHandle? { handleReference }

    func succeeded() {
        successes.wrappingAdd(1, ordering: .relaxed)
        if inRow.load(ordering: .relaxed) != 0 { inRow.store(0, ordering: .relaxed) }
    }

    /// Returns the failures in a row.
    func failed() -> Int {
        failures.wrappingAdd(1, ordering: .relaxed)
        return inRow.wrappingAdd(1, ordering: .relaxed).newValue
    }

    func forgetRow() { inRow.store(0, ordering: .relaxed) }

    func takeCount() -> OutlierCourse.Count {
        OutlierCourse.Count(
            id: id, successes: successes.exchange(0, ordering: .relaxed),
            failures: failures.exchange(0, ordering: .relaxed))
    }
}
