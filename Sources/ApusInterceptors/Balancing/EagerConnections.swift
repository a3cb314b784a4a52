// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Connects to endpoints when they are found, not when the first call goes there: no call of a service whose list is
/// known has to wait for a connection to be made.
///
/// Stands between ``Discovery`` (and what narrows its list, such as ``Subset``) and the balancer. The first call that
/// meets a new list, or ``Channel/connect()``, begins the connections, on its own event loop if it is made on one, and
/// goes on at once. Endpoints that are connected, or being connected, stay as they are; a connection that was closed for
/// want of calls comes back with a call. Without this policy endpoints are connected by the calls that go to them.
///
/// ```swift
/// let channel = Channel("users", interceptors: [Discovery(registry), EagerConnections(), LeastRequest()])
/// try await channel.connect()
/// ```
public struct EagerConnections: RoutingInterceptor {
    private let limit: Int
    private let owner = EndpointAttachment.Owner()

    // Hangs on a list whose endpoints were connected.
    private final class Begun: Sendable {}

    /// Connections to all endpoints of a list.
    ///
    /// - Parameter limit: of longer lists so many endpoints are connected, those in front; the others wait for calls.
    ///   Below zero it counts as zero.
    public init(limit: Int = 100) { self.limit = max(0, limit) }

    /// Begins the connections of a new list, and passes the call on.
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        if let candidates = call.candidates {
            _ = candidates.attachment(of: owner) {
                for handle in candidates.handles.prefix(limit) where handle.connectivity == .idle {
                    // What is wrong with the transport is told by the call itself.
                    try? next.connect(to: handle)
                }
                return Begun()
            }
        }
        return try await next(call)
    }
}

extension EagerConnections: DescribedPolicy {
    /// How many endpoints it connects.
    public var policyValues: [PolicyValue] { [PolicyValue("limit", limit)] }
}
