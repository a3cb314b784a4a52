// SPDX-License-Identifier: Apache-2.0

/// What happens to a server besides its calls, for logs and metrics. Each case has a line for people: `description`.
public enum ServerEvent: Sendable, Hashable {
    /// The process has no descriptors left: connections that come are closed. Told once, until there are some again.
    case outOfDescriptors(listener: Endpoint.Address)
    /// Connections are taken again; so many were closed in between.
    case descriptorsAvailable(listener: Endpoint.Address, refused: Int)
    /// A connection was closed before any call on it; the reason says why.
    case connectionRefused(peer: Endpoint.Address, reason: String)
    /// More bytes were held for slow peers and handlers than the budget allows: so many streams ended for it.
    case buffersExceeded(held: Int, limit: Int, ended: Int)
    /// A call was refused before its handler: by an interceptor at its headers, because it came too late, or, without a
    /// method, because it calls none that is served.
    case callRefused(method: MethodDescriptor?, peer: Endpoint.Address, status: Status)
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
        case .buffersExceeded(let held, let limit, let ended):
            "\(held) bytes are held, and the budget is \(limit): the \(ended) slowest streams were ended"
        case .callRefused(let method, let peer, let status):
            "a call of \(method?.path ?? "no known method") by \(peer) was refused: \(status)"
        }
    }
}
