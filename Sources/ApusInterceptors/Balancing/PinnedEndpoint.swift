// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Sends every call to one endpoint: for a channel that needs neither discovery nor balancing.
public struct PinnedEndpoint: RoutingInterceptor {
    let handle: EndpointHandle

    /// Every call goes to `endpoint`.
    public init(_ endpoint: Endpoint) { handle = EndpointHandle(endpoint) }

    /// Chooses the endpoint.
    public func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        try await next.send(call, to: handle)
    }
}

extension PinnedEndpoint: DescribedPolicy {
    /// Where calls go.
    public var policyValues: [PolicyValue] { [PolicyValue("endpoint", handle.address)] }
}
