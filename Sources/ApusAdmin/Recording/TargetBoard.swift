// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// The last lists of endpoints of each service that this process calls: one for each channel that is open.
package final class TargetBoard: Observer {
    private let lists = Mutex<[String: [Candidates]]>([:])
    private let limit: Int

    /// - Parameter limit: how many services are kept; what comes then is not.
    package init(limit: Int = 200) { self.limit = limit }

    /// The endpoints of all lists, by service.
    package var handles: [String: [EndpointHandle]] { lists.withLock { $0.mapValues { $0.flatMap(\.handles) } } }

    package func resolved(_ target: String, from old: Candidates?, to new: Candidates?) {
        lists.withLock { lists in
            var known = lists[target] ?? []
            known.removeAll { $0.version == old?.version }
            if let new, lists[target] != nil || lists.count < limit, known.count < limit { known.append(new) }
            lists[target] = known.isEmpty ? nil : known
        }
    }
}
