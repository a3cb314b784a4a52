// SPDX-License-Identifier: Apache-2.0

package import ApusCore
import Synchronization

/// The last list of endpoints of each service that this process calls.
package final class TargetBoard: Observer {
    private let lists = Mutex<[String: Candidates]>([:])
    private let limit: Int

    /// - Parameter limit: how many services are kept; what comes then is not.
    package init(limit: Int = 200) { self.limit = limit }

    /// The lists by service.
    package var candidates: [String: Candidates] { lists.withLock { $0 } }

    package func resolved(_ target: String, candidates: Candidates) {
        lists.withLock { lists in
            guard lists[target] != nil || lists.count < limit else { return }
            lists[target] = candidates
        }
    }
}
