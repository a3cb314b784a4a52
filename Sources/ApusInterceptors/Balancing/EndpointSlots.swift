// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Endpoints in the slots of a hashing balancer's table. A slot whose endpoint is bad gives its keys to the slots behind
/// it, for all clients in the same order.
struct EndpointSlots: Sendable {
    // Slots that are looked at for each endpoint, before all endpoints are looked at once.
    private static let patience = 8

    private let handles: [EndpointHandle]
    private let slots: [Int32]

    /// - Parameter slots: indices of handles, at least one.
    init(_ handles: [EndpointHandle], slots: [Int32]) {
        self.handles = handles
        self.slots = slots
    }

    /// The endpoint of a slot.
    subscript(slot: Int) -> EndpointHandle { handles[Int(slots[slot])] }

    /// The endpoint of the first slot, from `start` on, that nothing speaks against, or one of the best class.
    func pick(from start: Int, avoiding avoided: [EndpointHandle]) -> EndpointHandle {
        if EndpointPreference.isFresh(self[start], avoiding: avoided) { return self[start] }
        let walk = (0..<min(slots.count, handles.count * Self.patience)).lazy.map { step in
            self[(start + step) % slots.count]
        }
        let found = EndpointPreference.first(of: walk, avoiding: avoided) ?? self[start]
        if EndpointPreference.isFresh(found, avoiding: avoided) { return found }
        // Some have no slot, or none near here. What was found comes first among its equals.
        return EndpointPreference.first(of: [found] + handles, avoiding: avoided) ?? found
    }
}
