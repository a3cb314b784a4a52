// SPDX-License-Identifier: Apache-2.0

/// One process of a service, by name; it keeps its name when it is started again.
public struct Instance: Sendable, Hashable {
    /// The name of the service: what clients look up.
    public let service: String
    /// Unique.
    public let name: String

    /// The instances of a service: `users-1`, `users-2` …
    public static func all(of service: String, count: Int) -> [Instance] {
        (1...count).map { Instance(service: service, name: "\(service)-\($0)") }
    }
}
