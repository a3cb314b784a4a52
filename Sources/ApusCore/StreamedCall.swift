// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A call whose request is a stream: it runs in a task of its own, so that writing and reading are independent.
/// Released or cancelled, it cancels the call.
final class StreamedCall: Sendable {
    let pipe = MessagePipe()
    private let task: Task<ClientResponse, any Error>
    private let ended = Ended()

    final class Ended: Sendable {
        let flag = Atomic<Bool>(false)
    }

    init(_ channel: Channel, _ method: MethodDescriptor, options: CallOptions) {
        let pipe = self.pipe
        let ended = self.ended
        // On an event loop the call stays there: a blocking call must go on when Swift's own pool is exhausted.
        task = Task(executorPreference: channel.transport.currentExecutor) {
            do {
                let response = try await channel.start(method, .stream(pipe), options: options)
                response.onEnd { error in
                    ended.flag.store(true, ordering: .releasing)
                    pipe.fail(error ?? RPCError(.cancelled, "the server ended the call before the request did"))
                }
                return response
            } catch {
                ended.flag.store(true, ordering: .releasing)
                pipe.fail(RPCError(wrapping: error))
                throw error
            }
        }
    }

    deinit { cancel() }

    var hasEnded: Bool { ended.flag.load(ordering: .acquiring) }

    func cancel() {
        task.cancel()
        pipe.fail(RPCError(.cancelled, "the call was cancelled"))
    }

    func head() async throws(RPCError) -> ClientResponse {
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                cancel()
            }
        } catch {
            throw RPCError(wrapping: error)
        }
    }
}

/// A call in progress that takes many messages and answers with one. Dropping it and its writer cancels it.
public struct ClientStreamingCall<Q: MessageCodec, A: MessageCodec>: Sendable {
    private let call: StreamedCall

    init(_ call: StreamedCall) { self.call = call }

    /// Where the requests go.
    public var requests: RequestWriter<Q> { RequestWriter(call: call) }

    /// Waits for the answer. Finish ``requests`` first, or the server may wait for more of them.
    ///
    /// - Throws: why the call failed.
    public func response() async throws(RPCError) -> Response<A.Message> {
        try Response(await call.head(), A.self)
    }

    /// Ends the call: the server sees a cancellation.
    public func cancel() { call.cancel() }

    var hasEnded: Bool { call.hasEnded }
}

/// A call in progress with many messages either way. Dropping it, its writer and its responses cancels it.
public struct BidirectionalCall<Q: MessageCodec, A: MessageCodec>: Sendable {
    private let call: StreamedCall

    init(_ call: StreamedCall) { self.call = call }

    /// Where the requests go.
    public var requests: RequestWriter<Q> { RequestWriter(call: call) }

    /// The responses, when their head is there. For one consumer.
    ///
    /// - Throws: why the call failed before its first message.
    public func responses() async throws(RPCError) -> ResponseStream<A> {
        try ResponseStream(await call.head(), keeping: call)
    }

    /// Ends the call: the server sees a cancellation.
    public func cancel() { call.cancel() }
}
