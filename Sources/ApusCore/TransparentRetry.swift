// SPDX-License-Identifier: Apache-2.0

/// Tries a call again that no server has seen: without limit if it never left, once if a server refused it.
///
/// Every channel has this; one with a ``RetryingInterceptor`` leaves it to that. A streamed request is tried again
/// only if none of it was read: a try that has taken a message has taken it away from the next one.
/// Source: gRFC A6, *Transparent Retries*.
struct TransparentRetry: ClientInterceptor {
    let clock: any MonotonicClock

    func intercept(_ call: consuming ClientCall, next: ClientNext) async throws -> ClientResponse {
        var call = call
        var tries = TransparentTries()
        while true {
            do {
                return try await next(call)
            } catch let error as RPCError {
                guard call.request.isReplayable, let wait = tries.wait(after: error.progress) else { throw error }
                try TransparentTries.checkCancellation(after: error)
                let next = clock.now.advanced(by: wait)
                guard !call.deadline.hasPassed(at: next) else { throw error }
                call.avoid(error.pickedHandle)
                if wait > .zero { try await clock.sleep(until: next) }
            }
        }
    }
}

/// Which failures are tried again although no policy says so, and after how long.
package struct TransparentTries: Sendable {
    // A peer that accepts connections and hangs up must not make its clients spin.
    private static let freeUnsentTries = 3

    private var wasRefused = false
    private var unsentInRow = 0

    package init() {}

    /// Ends a call that nobody waits for any more as what it is, not as the try that happened to fail.
    ///
    /// - Throws: CANCELLED when the calling task is cancelled.
    package static func checkCancellation(after error: RPCError) throws(RPCError) {
        guard Task.isCancelled else { return }
        throw RPCError(.cancelled, "the calling task was cancelled between two tries", cause: "\(error)")
    }

    /// The wait before the next try: none at first, then 1, 2, 4 … 1024 ms; nil when the failure counts.
    package mutating func wait(after progress: RPCError.Progress) -> Duration? {
        switch progress {
        case .notSent:
            unsentInRow += 1
            let excess = unsentInRow - Self.freeUnsentTries
            return excess <= 0 ? .zero : .milliseconds(1 << min(excess - 1, 10))
        case .refused where !wasRefused:
            wasRefused = true
            return .zero
        case .refused, .notConnected, .sent, .answered:
            unsentInRow = 0
            return nil
        }
    }
}

extension MessageBody {
    /// Whether the body can be sent again as it is.
    package var isReplayable: Bool {
        switch self {
        case .one: true
        case .stream(let source): source.isUntouched
        }
    }
}
