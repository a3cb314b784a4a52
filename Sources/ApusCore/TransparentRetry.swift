// SPDX-License-Identifier: Apache-2.0

/// Tries a call again that no server has seen: without limit if it never left, once if a server refused it.
///
/// Every channel has this; one with a ``RetryingInterceptor`` leaves it to that. A streamed request is tried again
/// only if none of it left. Source: gRFC A6, *Transparent Retries*.
struct TransparentRetry: ClientInterceptor {
    func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        var refused = false
        while true {
            do {
                return try await next(call)
            } catch let error as RPCError {
                switch error.progress {
                case .notSent: break
                case .refused where !refused && call.request.isReplayable: refused = true
                default: throw error
                }
                if Task.isCancelled { throw error }
                await Task.yield()
            }
        }
    }
}

extension MessageBody {
    /// Whether the body can be sent again as it is.
    package var isReplayable: Bool {
        switch self {
        case .one: true
        case .stream: false
        }
    }
}
