// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization

/// Who is in the registry at present.
final class RegistryView: Sendable {
    private final class Lists: Sendable {
        let endpoints = Mutex<[String: [Endpoint]]>([:])
    }

    private let lists = Lists()
    private let watches: [RegistryWatch]

    init(_ registry: any Registry, services: [String]) {
        let lists = lists
        watches = services.map { service in
            registry.watch(service) { update in
                guard case .success(let endpoints) = update else { return }
                lists.endpoints.withLock { $0[service] = endpoints }
            }
        }
    }

    /// The endpoint that a process has registered.
    func endpoint(of service: String, process id: Int32) -> Endpoint? {
        lists.endpoints.withLock { $0[service, default: []].first { $0.metadata["pid"] == String(id) } }
    }
}
