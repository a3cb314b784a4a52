// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// Answers a call that failed from somewhere else: with a value, by a function, or by another channel.
///
/// In front of ``Retry``, so that it sees the failure of all tries.
public struct Fallback: ClientInterceptor {
    /// Makes the answer to a call from its failure.
    public typealias Answer = @Sendable (ClientCall, RPCError) async throws -> ClientResponse

    private let codes: Set<Status.Code>
    private let methods: Set<String>?
    private let answer: Answer

    /// Answers by a function.
    ///
    /// - Parameters:
    ///   - codes: the failures that it is asked about; others pass.
    ///   - methods: the paths of the methods that it answers; nil for all.
    ///   - answer: gets the call, and its failure. When it throws, the call keeps its failure.
    public init(
        after codes: Set<Status.Code> = [.unavailable, .deadlineExceeded], methods: Set<String>? = nil,
        answer: @escaping Answer
    ) {
        self.codes = codes
        self.methods = methods
        self.answer = answer
    }

    /// Answers one method with a value.
    public init<Q: MessageCodec, A: MessageCodec>(
        of method: Method<Q, A>, after codes: Set<Status.Code> = [.unavailable, .deadlineExceeded],
        value: A.Message
    ) where A.Message: Sendable {
        self.init(after: codes, methods: [method.descriptor.path]) { call, error in
            guard !call.method.kind.streamsResponses else { throw error }
            return ClientResponse(metadata: Metadata(), body: .one(try A.encode(value), trailers: Metadata()))
        }
    }

    /// Asks another channel, within the time that the call has left. A streamed request of which something was read
    /// cannot be sent again: such a call keeps its failure.
    public init(
        to channel: Channel, after codes: Set<Status.Code> = [.unavailable], methods: Set<String>? = nil,
        clock: any MonotonicClock = SystemClock()
    ) {
        self.init(after: codes, methods: methods) { call, error in
            guard call.request.isReplayable else { throw error }
            let options = CallOptions(
                timeout: call.deadline.remaining(at: clock.now), metadata: call.metadata,
                waitForReady: call.waitForReady, maximumResponseBytes: call.maximumResponseBytes,
                compression: call.compression)
            return try await channel.start(call.method, call.request, options: options)
        }
    }

    /// Sends the call, and asks the fallback when it fails.
    ///
    /// - Throws: the call's error, with a note when the fallback failed, too.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        do {
            return try await next(call)
        } catch {
            let failure = RPCError(wrapping: error)
            guard codes.contains(failure.code), methods?.contains(call.method.path) ?? true else { throw failure }
            guard !Task.isCancelled, !next.isClosed else { throw failure }
            do {
                return try await answer(call, failure)
            } catch {
                let second = RPCError(wrapping: error)
                throw second == failure ? failure : failure.with(note: "its fallback failed: \(second.status)")
            }
        }
    }
}

extension Fallback: DescribedPolicy {
    /// Which failures of which methods it answers.
    public var policyValues: [PolicyValue] {
        [PolicyValue("codes", codes), PolicyValue("methods", methods?.sorted().joined(separator: ", ") ?? "all")]
    }
}
