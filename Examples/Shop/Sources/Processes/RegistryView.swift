// SPDX-License-Identifier: Apache-2.0

public import Apus
import Synchronization

/// Who is in the registry at present.
public final class RegistryView: Sendable {
    private final class Lists: Sendable {
        let endpoints = Mutex<[String: [Endpoint]]>([:])
    }

    private let lists = Lists()
    private let watches: [RegistryWatch]

    /// Follows these services.
    public init(_ registry: any Registry, services: [String]) {
        let lists = lists
        watches = services.map { service in
            registry.watch(service) { update in
                guard case .success(let endpoints) = update else { return }
                lists.endpoints.withLock { $0[service] = endpoints }
            }
        }
    }

    /// The endpoints of a service.
    public func endpoints(of service: String) -> [Endpoint] {
        lists.endpoints.withLock { $0[service, default: []] }
    }

    /// The endpoint that a process has registered.
    public func endpoint(of service: String, process id: Int32) -> Endpoint? {
        endpoints(of: service).first { $0.metadata["pid"] == String(id) }
    }
}
