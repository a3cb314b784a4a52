// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// Gives calls the list that is there now.
final class ChangingList: RoutingInterceptor {
    private let list: Mutex<Candidates>

    init(_ list: Candidates) { self.list = Mutex(list) }

    func change(to list: Candidates) { self.list.withLock { $0 = list } }

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        call.candidates = list.withLock { $0 }
        return try await next(call)
    }
}
