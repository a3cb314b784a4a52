// SPDX-License-Identifier: Apache-2.0

/// What happens to a server besides its calls, for logs and metrics. Each case has a line for people: `description`.
public enum ServerEvent: Sendable, Hashable {
    /// The process has no descriptors left: connections that come are closed. Told once, until there are some again.
    case outOfDescriptors(listener: Endpoint.Address)
    /// Connections are taken again; so many were closed in between.
    case descriptorsAvailable(listener: Endpoint.Address, refused: Int)
    /// A connection was closed before any call on it; the reason says why.
    case connectionRefused(peer: Endpoint.Address, reason: String)
}

extension ServerEvent: CustomStringConvertible {
    /// One line for a log.
    public var description: String {
        switch self {
        case .outOfDescriptors(let listener):
            "out of descriptors: connections to \(listener) are closed until there are some again"
        case .descriptorsAvailable(let listener, let refused):
            "connections to \(listener) are taken again; \(refused) were closed for want of descriptors"
        case .connectionRefused(let peer, let reason): "the connection of \(peer) was closed: \(reason)"
        }
    }
}
