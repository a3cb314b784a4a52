// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization

/// Which instances the tries of one call went to.
final class CallTrace: Sendable {
    /// The call that the task at hand makes.
    @TaskLocal static var current: CallTrace?

    private let names = Mutex<[String]>([])

    func add(_ name: String) { names.withLock { $0.append(name) } }

    var instances: [String] { names.withLock { $0 } }
}

/// Stands nearest to the wire and notes where tries go: what a breaker refuses does not come here.
struct TryWitness: ClientInterceptor {
    let record: Record

    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        if let name = call.endpoint?.endpoint.metadata["instance"] {
            CallTrace.current?.add(name)
            record.tried(name)
        }
        return try await next(call)
    }
}
