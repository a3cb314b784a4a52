// SPDX-License-Identifier: Apache-2.0

package import ApusCore

extension ClientNext {
    /// Sends a call on to the endpoint that a balancer picked: tells the observer, counts the call on the handle until
    /// its end, and writes the handle into the error of a call that failed, so that a retry can go elsewhere.
    package func send(_ call: ClientCall, to handle: EndpointHandle) async throws -> ClientResponse {
        var call = call
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
