// SPDX-License-Identifier: Apache-2.0

import Apus

/// A registry that has the same instances of whatever is asked for.
struct FixedRegistry: Registry {
    let endpoints: [Endpoint]

    func register(_ instance: ServiceInstance) async throws(RPCError) -> Registration {
        throw RPCError(.unimplemented, "a list of addresses takes no registrations")
    }

    func watch(
        _ service: String, onUpdate: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void
    ) -> RegistryWatch {
        onUpdate(.success(endpoints))
        return RegistryWatch {}
    }
}
