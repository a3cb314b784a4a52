// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What one list says of one address: mostly one instance, and two where the entry of the one that was there before has
/// not expired yet.
struct ListedPlace {
    let first: Endpoint
    private var others: [Endpoint] = []

    init(_ endpoint: Endpoint) { first = endpoint }

    mutating func add(_ endpoint: Endpoint) {
        // The same instance twice is one of a registry's mistakes: its first place counts.
        guard endpoint.instance != first.instance, !others.contains(where: { $0.instance == endpoint.instance })
        else { return }
        others.append(endpoint)
    }

    /// The handle of who is there now: the one that was, or a new one when another instance has come.
    func handle(after old: EndpointHandle?) -> EndpointHandle {
        guard let old else { return EndpointHandle(first, after: Set(others.map(\.instance))) }
        if others.isEmpty, first.instance == old.instance {
            old.predecessors.withLock { $0 = [] }
            old.describe(as: first)
            return old
        }
        return handle(among: [first] + others, after: old)
    }

    private func handle(among all: [Endpoint], after old: EndpointHandle) -> EndpointHandle {
        let listed = Set(all.map(\.instance))
        let predecessors = old.predecessors.withLock { known in
            known.formIntersection(listed)
            return known
        }
        // The last of those who came.
        let new = all.last { $0.instance != old.instance && !predecessors.contains($0.instance) }
        if let new { return EndpointHandle(new, after: listed.subtracting([new.instance])) }
        if let same = all.first(where: { $0.instance == old.instance }) {
            old.describe(as: same)
            return old
        }
        // Who came last has left, and one of those before it is still there.
        return EndpointHandle(first, after: listed.subtracting([first.instance]))
    }
}
