// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The time that one try of a call may take, within the call's own deadline.
struct TryTimeout: Sendable {
    let duration: Duration
    let clock: any MonotonicClock

    /// Sends a try, which fails with DEADLINE_EXCEEDED when its time is up: at its whole answer where the method
    /// answers with one message, at the head of a streamed one.
    func send(_ call: ClientCall, to next: ClientNext) async throws -> ClientResponse {
        guard let end = end(before: call.deadline, at: clock.now) else { return try await next(call) }
        if call.method.kind.streamsResponses { return try await head(of: call, until: end, next) }
        var call = call
        call.deadline = end
        return try await next(call)
    }

    /// When a try that begins now ends; nil when the call itself ends no later.
    func end(before deadline: CallDeadline, at now: MonotonicInstant) -> CallDeadline? {
        let end = CallDeadline(at: now.advanced(by: duration))
        return end < deadline ? end : nil
    }

    /// Whether a try ended because its own time was up, not the call's.
    func ended(_ error: RPCError, of call: ClientCall) -> Bool {
        error.code == .deadlineExceeded && !call.deadline.hasPassed(at: clock.now)
    }

    // The transport's timer would end the stream, too, which may go on as long as the call.
    private func head(of call: ClientCall, until end: CallDeadline, _ next: ClientNext) async throws -> ClientResponse {
        try await withThrowingTaskGroup(of: ClientResponse?.self) { group in
            group.addTask { try await next(call) }
            group.addTask { [clock] in
                try await clock.sleep(until: end.instant)
                return nil
            }
            defer { group.cancelAll() }
            if let first = try await group.next(), let response = first { return response }
            throw CallDeadline.exceeded("by this try: no response has begun")
        }
    }
}
