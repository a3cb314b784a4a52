// SPDX-License-Identifier: Apache-2.0

public import ApusCore

extension ClientNext {
    /// Sends a call on to the endpoint that a balancer picked: how every balancer ends.
    ///
    /// Tells the observer of the pick, counts the call in ``EndpointHandle/callsInFlight`` until its end, and writes the
    /// handle into the error of a call that failed, so that a retry finds it in ``ClientCall/avoided``.
    ///
    /// ```swift
    /// struct First: RoutingInterceptor {
    ///     func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
    ///         guard let handle = call.candidates?.handles.first else { throw RPCError(.unavailable, "nobody is there") }
    ///         return try await next.send(call, to: handle)
    ///     }
    /// }
    /// ```
    ///
    /// - Throws: the call's error.
    public func send(_ call: consuming ClientCall, to handle: EndpointHandle) async throws -> ClientResponse {
        call.endpoint = handle
        call.observer?.picked(handle, for: call)
        handle.callStarted()
        do {
            let response = try await self(call)
            response.onEnd { _ in handle.callEnded() }
            return response
        } catch {
            handle.callEnded()
            throw RPCError(wrapping: error).at(handle)
        }
    }
}
